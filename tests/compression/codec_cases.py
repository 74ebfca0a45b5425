"""The codecs under shared test and what each promises: one without an entry fails the tests."""

import math

import numpy as np

from compression import codec_names, make_codec
from compression.codecs.qsgd import QSGD
from compression.codecs.random_k import RandomK
from compression.codecs.rotated import Rotated
from compression.hadamard import Rotation

# Every registered codec with its defaults, so that a new one is tested without a line here ...
CODECS = {name: make_codec(name) for name in codec_names()}
# ... and variants that take other paths.
CODECS |= {
    "uniform_1_bit": make_codec("uniform", bits=1),
    "uniform_3_bits": make_codec("uniform", bits=3),
    "uniform_8_bits_nearest": make_codec("uniform", bits=8, stochastic=False),
    "uniform_12_bits": make_codec("uniform", bits=12),
    "uniform_16_bits": make_codec("uniform", bits=16),
    "uniform_per_row": make_codec("uniform", bits=4, per_row=True),
    "uniform_bucket": make_codec("uniform", bits=4, bucket=100),
    "qsgd_2_bits": make_codec("qsgd", bits=2, bucket=100),
    "drive_least_squares": make_codec("drive", scale="least_squares"),
    "eden_1_bit": make_codec("eden", bits=1),
    "eden_2_bits": make_codec("eden", bits=2),
    "eden_8_bits": make_codec("eden", bits=8),
    "scaled_rotated": make_codec("scaled", inner="rotated"),
    "rotated_qsgd": make_codec("rotated", inner=make_codec("qsgd")),
    "rotated_nearest": make_codec("rotated", inner=make_codec("uniform", stochastic=False)),
    "entropy_uniform": make_codec("entropy", inner=make_codec("uniform", bits=4), min_levels=1),
    "entropy_terngrad": make_codec("entropy", inner="terngrad", min_levels=1),
    "entropy_eden": make_codec("entropy", inner=make_codec("eden", bits=2), min_levels=1),
}

# Distortion of the best quantizer of a normal variable (Max 1960, table 1); what Eden adds to it.
LLOYD_MAX = {1: 0.3634, 2: 0.1175, 3: 0.03454, 4: 0.009497, 5: 0.002499, 8: 4.117e-5}
EDEN_EXCESS = {1: 1.001, 2: 1.001, 4: 1.005, 8: 1.06}


def uniform_error(codec, x):
    """n s^2 / 4, row by row; s is the step."""
    width = codec.bucket or (x.shape[-1] if codec.per_row and x.ndim > 1 else x.size)
    rows = [x.reshape(-1)[start : start + width] for start in range(0, x.size, max(1, width))]
    steps = [(row.max() - row.min()) / (2**codec.bits - 1) for row in rows]
    return sum(len(row) * step**2 / 4 for row, step in zip(rows, steps, strict=True))


def qsgd_error(codec, x):
    """min(d / s^2, sqrt(d) / s) ||x||^2 per bucket of d."""
    s, d = 2 ** (codec.bits - 1) - 1, min(codec.bucket, x.size)
    return min(d / s**2, math.sqrt(d) / s) * float(np.sum(x**2))


def eden_error(codec, x):
    """D / (1 - D) ||x||^2, or D ||x||^2; 10% above it for blocks that are not quite Gaussian."""
    distortion = LLOYD_MAX[codec.bits] * EDEN_EXCESS[codec.bits]
    if codec.scale == "unbiased":
        distortion /= 1 - distortion
    return 1.1 * distortion * float(np.sum(x**2))


def rotated_error(codec, x):
    """Suresh et al. 2017, theorem 3 with one client; other codecs do not depend on the rotation."""
    if type(codec.inner).__name__ != "Uniform":
        return ERRORS[type(codec.inner).__name__](codec.inner, x)
    intervals = 2**codec.inner.bits - 1
    return (2 * math.log(max(2, x.size)) + 2) / intervals**2 * float(np.sum(x**2))


def scaled_error(codec, x):
    """Of the scaled tensor, each value's share in proportion to the square of its scales."""
    if x.ndim < 2:
        return error_bound(codec.inner, x)
    rows = np.sqrt(np.mean(x**2, 1, keepdims=True))
    columns = np.sqrt(np.mean((x / np.where(rows == 0, 1, rows)) ** 2, 0, keepdims=True))
    scales = rows * columns
    scaled = x / np.where(scales == 0, 1, scales)
    return 1.02 * error_bound(codec.inner, scaled) * float(np.mean(scales**2))


# Class of the codec -> bound on the expected squared error of the tensor x, by its paper.
ERRORS = {
    "Identity": lambda codec, x: 0.0,
    "Float16": lambda codec, x: 2.0**-22 * float(np.sum(x**2)) + x.size * 2.0**-48,
    "BFloat16": lambda codec, x: 2.0**-16 * float(np.sum(x**2)),
    "Uniform": uniform_error,
    "TernGrad": lambda codec, x: float(np.sum(np.abs(x) * (np.abs(x).max() - np.abs(x)))),
    "QSGD": qsgd_error,
    "Drive": eden_error,
    "Eden": eden_error,
    "Rotated": rotated_error,
    "Scaled": scaled_error,
    "Entropy": lambda codec, x: ERRORS[type(codec.inner).__name__](codec.inner, x),
    "TopK": lambda codec, x: (1 - kept(codec, x.size) / x.size) * float(np.sum(x**2)),
    "RandomK": lambda codec, x: (round(1 / codec.fraction) - 1) * float(np.sum(x**2)),
}


def kept(codec, size):
    """The k of top_k."""
    return min(size, max(1, round(codec.fraction * size)))


def keeps_single_values(codec):
    """Whether a tensor of zeros but for one value is on the codec's grid, as it is on most.

    A rotation makes it a tensor of values of equal size, which have a level of their own in every
    codec that follows a range, but not in one that follows the norm.
    """
    if isinstance(codec, Rotated):
        return not isinstance(codec.inner, QSGD)
    return not isinstance(codec, RandomK)


def error_bound(codec, x):
    return ERRORS[type(codec).__name__](codec, x.astype(np.float64))


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
    return BITS[type(inner).__name__](inner, [rotation.blocks, rotation.block])


def scaled_bits(codec, shape):
    sides = 16 * (math.prod(shape[:-1]) + shape[-1]) if len(shape) > 1 else 0
    return payload_bits(codec.inner, shape) + sides


def top_k_bits(codec, shape):
    size = math.prod(shape)
    count = kept(codec, size)
    width = max(1, math.ceil(math.log2(size)))
    return count * (32 + 8 * (width // 8)) + fixed_width_bits(count, width % 8)


# Class of the codec -> the exact payload of a tensor of `shape`.
BITS = {
    "Identity": lambda codec, shape: 32 * math.prod(shape),
    "Float16": lambda codec, shape: 16 * math.prod(shape),
    "BFloat16": lambda codec, shape: 16 * math.prod(shape),
    "Uniform": uniform_bits,
    "TernGrad": lambda codec, shape: 8 * math.ceil(math.prod(shape) / 5) + 32,
    "QSGD": qsgd_bits,
    "Drive": eden_bits,
    "Eden": eden_bits,
    "Rotated": rotated_bits,
    "Scaled": scaled_bits,
    "TopK": top_k_bits,
    "RandomK": lambda codec, shape: 32 * math.ceil(math.prod(shape) / round(1 / codec.fraction)),
}
# "Entropy" has no fixed size: its own test compares it with the entropy bound.


def payload_bits(codec, shape):
    return BITS[type(codec).__name__](codec, shape)
