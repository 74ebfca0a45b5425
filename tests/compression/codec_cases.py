"""What each registered codec promises: one `CodecCase` in `CASES`, and the shared tests have it."""

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np

from compression import codec_names, codec_of
from compression.codec import Codec
from compression.codecs.qsgd import QSGD
from compression.codecs.uniform import Uniform
from compression.hadamard import Rotation
from compression.registry import CODECS as REGISTRY


@dataclasses.dataclass(frozen=True)
class CodecCase:
    """A codec under the shared tests, with its defaults and in variants that take other paths.

    Attributes:
      error: (codec, x) -> bound on the expected squared error of the tensor x, by its paper.
      bits: (codec, shape) -> the exact size of a payload; None where it depends on the values.
      worst: (codec, x) -> bound on the squared error of any one round trip; None: `error`, where
        chance has no part in it.
      variants: Expressions that are tested as well.
      has_single_values: Whether a tensor of zeros but for one value is on the codec's grid.
      runs: Round trips over which its error is averaged; few for one that is slow.
      correlation: The most between its errors under two seeds.
      largest: The largest value that it carries.
    """

    error: Callable[[Codec, np.ndarray], float]
    bits: Callable[[Codec, list[int]], int] | None
    worst: Callable[[Codec, np.ndarray], float] | None = None
    variants: tuple[str, ...] = ()
    has_single_values: Callable[[Codec], bool] = lambda codec: True
    runs: int = 300
    correlation: float = 5 / 64
    largest: float = math.inf


# Distortion of the best quantizer of a normal variable (Max 1960, table 1); what Eden adds to it.
LLOYD_MAX = {1: 0.3634, 2: 0.1175, 3: 0.03454, 4: 0.009497, 5: 0.002499, 8: 4.117e-5}
EDEN_EXCESS = {1: 1.001, 2: 1.001, 4: 1.005, 8: 1.06}


def uniform_error(codec, x, share=1 / 4):
    """n s^2 / 4, row by row; s is the step."""
    width = codec.bucket or (x.shape[-1] if codec.per_row and x.ndim > 1 else x.size)
    rows = [x.reshape(-1)[start : start + width] for start in range(0, x.size, max(1, width))]
    steps = [(row.max() - row.min()) / (2**codec.bits - 1) for row in rows]
    return sum(share * len(row) * step**2 for row, step in zip(rows, steps, strict=True))


def tfmot_error(codec, x):
    return uniform_error(Uniform(codec.bits), x)


def tfmot_bits(codec, shape):
    """28 bits of each int32 are used; the range is two floats."""
    return 32 * math.ceil(codec.bits * math.prod(shape) / 28) + 64


def qsgd_error(codec, x):
    """min(d / s^2, sqrt(d) / s) ||x||^2 per bucket of d."""
    s, d = 2 ** (codec.bits - 1) - 1, min(codec.bucket, x.size)
    return min(d / s**2, math.sqrt(d) / s) * float(np.sum(x**2))


def qsgd_worst(codec, x):
    """A value is off by less than its level, norm / s."""
    s, flat = 2 ** (codec.bits - 1) - 1, x.reshape(-1)
    buckets = [flat[start : start + codec.bucket] for start in range(0, x.size, codec.bucket)]
    return sum(len(bucket) * np.sum(bucket**2) for bucket in buckets) / s**2


def terngrad_error(codec, x):
    return float(np.sum(np.abs(x) * (np.abs(x).max() - np.abs(x))))


def terngrad_worst(codec, x):
    """The largest values come back; the others become 0 or as large as those."""
    size, largest = np.abs(x), np.abs(x).max()
    off = np.where(size > (1 - 1e-5) * largest, 0.0, np.maximum(size, largest - size))
    return float(np.sum(off**2))


def eden_error(codec, x):
    """D / (1 - D) ||x||^2, or D ||x||^2; 10% above it for blocks that are not quite Gaussian."""
    distortion = LLOYD_MAX[codec.bits] * EDEN_EXCESS[codec.bits]
    if codec.scale == "unbiased":
        distortion /= 1 - distortion
    return 1.1 * distortion * float(np.sum(x**2))


def eden_worst(codec, x):
    """||decoded|| = ||y|| ||Q|| / <y, Q> ||x|| unbiased; with least squares it is a projection.

    Chebyshev's sum inequality and Kantorovich's bound that factor by sqrt(d) (1 + r) / (2 sqrt(r)),
    where r is the ratio of the levels' sizes.
    """
    gain = math.sqrt(Rotation(x.size).block) * 2 ** (codec.bits / 2)
    return (gain**2 - 1 if codec.is_unbiased else 1) * float(np.sum(x**2))


def rotated_error(codec, x):
    """Suresh et al. 2017, theorem 3 with one client; other codecs do not depend on the rotation."""
    if not isinstance(codec.inner, Uniform):
        return error_bound(codec.inner, x)
    intervals = 2**codec.inner.bits - 1
    return (2 * math.log(max(2, x.size)) + 2) / intervals**2 * float(np.sum(x**2))


def rotated_worst(codec, x):
    """A rotated value is off by a level, and no rotated value is longer than its block."""
    d, energy = Rotation(x.size).block, float(np.sum(x**2))
    if isinstance(codec.inner, Uniform):
        return d * (2 / (2**codec.inner.bits - 1)) ** 2 * energy
    return max(d, codec.inner.bucket) * energy


def scaled_error(codec, x):
    """Of the scaled tensor, each value's share in proportion to the square of its scales."""
    if x.ndim < 2:
        return error_bound(codec.inner, x)
    scaled, scales = scaled_and_scales(x)
    return 1.02 * error_bound(codec.inner, scaled) * float(np.mean(scales**2))


def scaled_worst(codec, x):
    if x.ndim < 2:
        return worst_error(codec.inner, x)
    scaled, scales = scaled_and_scales(x.reshape(-1, x.shape[-1]))
    return 1.05 * worst_error(codec.inner, scaled) * float(np.max(scales**2))


def scaled_and_scales(x):
    rows = np.sqrt(np.mean(x**2, 1, keepdims=True))
    columns = np.sqrt(np.mean((x / np.where(rows == 0, 1, rows)) ** 2, 0, keepdims=True))
    scales = rows * columns
    return x / np.where(scales == 0, 1, scales), scales


def kept(codec, size):
    """The k of top_k."""
    return min(size, max(1, round(codec.fraction * size)))


def fixed_width_bits(values, bits):
    return 8 * bits * math.ceil(values / 8) if bits % 8 else bits * values


def uniform_bits(codec, shape):
    size = math.prod(shape)
    rows = math.prod(shape[:-1]) if codec.per_row and len(shape) > 1 else 1
    if codec.bucket:
        rows = math.ceil(size / codec.bucket)
    high = codec.bits - 8
    levels = fixed_width_bits(size, codec.bits)
    if high > 0:
        levels = 8 * size + fixed_width_bits(size, high)
    return levels + 64 * rows


def qsgd_bits(codec, shape):
    size = math.prod(shape)
    ternary = 8 * math.ceil(size / 5)
    levels = ternary if codec.bits == 2 else fixed_width_bits(size, codec.bits)
    return levels + 32 * math.ceil(size / codec.bucket)


def eden_bits(codec, shape):
    rotation = Rotation(math.prod(shape))
    return fixed_width_bits(rotation.block * rotation.blocks, codec.bits) + 32 * rotation.blocks


def rotated_bits(codec, shape):
    rotation = Rotation(math.prod(shape))
    inner = codec.inner.by_rows()
    return payload_bits(inner, [rotation.blocks, rotation.block])


def scaled_bits(codec, shape):
    sides = 16 * (math.prod(shape[:-1]) + shape[-1]) if len(shape) > 1 else 0
    return payload_bits(codec.inner, shape) + sides


def top_k_bits(codec, shape):
    size = math.prod(shape)
    count = kept(codec, size)
    width = max(1, math.ceil(math.log2(size)))
    return count * (32 + 8 * (width // 8)) + fixed_width_bits(count, width % 8)


CASES = {
    "bfloat16": CodecCase(
        error=lambda codec, x: 2.0**-16 * float(np.sum(x**2)),
        bits=lambda codec, shape: 16 * math.prod(shape),
    ),
    "drive": CodecCase(
        eden_error, eden_bits, eden_worst, variants=("drive(scale='least_squares')",)
    ),
    "eden": CodecCase(
        eden_error,
        eden_bits,
        eden_worst,
        variants=("eden(bits=1)", "eden(bits=2)", "eden(bits=8)"),
    ),
    "entropy": CodecCase(
        error=lambda codec, x: error_bound(codec.inner, x),
        bits=None,  # its own test compares them with the entropy bound
        worst=lambda codec, x: worst_error(codec.inner, x),
        variants=(
            "entropy(uniform(bits=4), min_levels=1)",
            "entropy(terngrad, min_levels=1)",
            "entropy(eden(bits=2), min_levels=1)",
        ),
        runs=30,  # it carries the levels of its inner codec: a few runs show that, slowly
    ),
    "float16": CodecCase(
        error=lambda codec, x: 2.0**-22 * float(np.sum(x**2)) + x.size * 2.0**-48,
        bits=lambda codec, shape: 16 * math.prod(shape),
        largest=65504,
    ),
    "identity": CodecCase(
        error=lambda codec, x: 0.0, bits=lambda codec, shape: 32 * math.prod(shape)
    ),
    "qsgd": CodecCase(qsgd_error, qsgd_bits, qsgd_worst, variants=("qsgd(bits=2, bucket=100)",)),
    "random_k": CodecCase(
        error=lambda codec, x: (round(1 / codec.fraction) - 1) * float(np.sum(x**2)),
        bits=lambda codec, shape: 32 * math.ceil(math.prod(shape) / round(1 / codec.fraction)),
        worst=lambda codec, x: max(1, round(1 / codec.fraction) - 1) ** 2 * float(np.sum(x**2)),
        has_single_values=lambda codec: False,
        correlation=0.2,  # a coordinate of neither sample has the same error in both
    ),
    "rotated": CodecCase(
        rotated_error,
        rotated_bits,
        rotated_worst,
        variants=("rotated(qsgd)", "rotated(uniform(stochastic=False))"),
        # A single value becomes values of one size, which have a level of their own in every codec
        # that follows a range, but not in one that follows the norm.
        has_single_values=lambda codec: not isinstance(codec.inner, QSGD),
    ),
    "scaled": CodecCase(scaled_error, scaled_bits, scaled_worst, variants=("scaled(rotated)",)),
    "terngrad": CodecCase(
        terngrad_error,
        bits=lambda codec, shape: 8 * math.ceil(math.prod(shape) / 5) + 32,
        worst=terngrad_worst,
    ),
    "tfmot_uniform": CodecCase(tfmot_error, tfmot_bits, variants=("tfmot_uniform(bits=5)",)),
    "top_k": CodecCase(
        error=lambda codec, x: (1 - kept(codec, x.size) / x.size) * float(np.sum(x**2)),
        bits=top_k_bits,
    ),
    "uniform": CodecCase(
        uniform_error,
        uniform_bits,
        lambda codec, x: uniform_error(codec, x, share=1),
        variants=(
            "uniform(bits=1)",
            "uniform(bits=3)",
            "uniform(bits=8, stochastic=False)",
            "uniform(bits=12)",
            "uniform(bits=16)",
            "uniform(bits=4, per_row=True)",
            "uniform(bits=4, bucket=100)",
        ),
    ),
}


def case_of(codec):
    return CASES[next(name for name, of_name in REGISTRY.items() if of_name is type(codec))]


def error_bound(codec, x):
    return case_of(codec).error(codec, x.astype(np.float64))


def worst_error(codec, x):
    case = case_of(codec)
    return (case.worst or case.error)(codec, x.astype(np.float64))


def payload_bits(codec, shape):
    """None where no formula tells them."""
    bits = case_of(codec).bits
    return bits(codec, shape) if bits else None


# Name of a test -> codec, for every case with its defaults and in its variants.
CODECS = {
    re.sub(r"\W+", "_", text).strip("_"): codec_of(text)
    for name, case in CASES.items()
    for text in (name, *case.variants)
}


# More of them, where the largest numbers take another way through the arithmetic.
AT_THE_LIMIT = CODECS | {
    "eden_2_least_squares": codec_of("eden(bits=2, scale='least_squares')"),
    "eden_4_least_squares": codec_of("eden(bits=4, scale='least_squares')"),
    "uniform_2": codec_of("uniform(bits=2)"),
}


def names_without_a_case():
    return sorted(set(codec_names()) - set(CASES))
