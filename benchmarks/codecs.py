"""Codecs on a real model delta: bits per parameter, error and time, as a table and a plot.

    python -m benchmarks.codecs --model=transformer_large --plot=codecs.png [--json]

The delta is that of a chat client, trained here first; `share of training` is encoding plus
decoding, in relation to that training. Everything runs on one thread, as a client does. Bits are
those of the packed payload: side information, padding and small tensors sent as float32 included.
The error is relative over the whole delta: sum ||decoded - x||^2 / sum ||x||^2, small tensors
included, which have none.

The entropy bound is that of single levels, with the same side information. The coder packs several
levels into a symbol, so it can come out a little below where levels depend on one another.
"""

import collections
import dataclasses
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.codec_families import families
from benchmarks.delta import client_delta
from compression import Codec
from compression.variables import DEFAULT_MIN_ELEMENTS, CodedVariable, code_variables
from tff_lm.experiment import precision
from tff_lm.runtime.processes import allocator

_MODEL = flags.DEFINE_string("model", "transformer_large", "a named model")
_PRECISION = flags.DEFINE_enum(
    "precision", "auto", ["auto", "float32", "bfloat16"], "of the client's matrix products"
)
_PLOT = flags.DEFINE_string("plot", None, "where to write the plot, a PNG")
_ONLY = flags.DEFINE_string("only", "", "measure only codecs whose name contains this")
_REPEATS = flags.DEFINE_integer("repeats", 3, "timed runs; the median counts", lower_bound=1)
_MIN_ELEMENTS = flags.DEFINE_integer(
    "min_elements", DEFAULT_MIN_ELEMENTS, "smaller tensors are sent as float32"
)
_JSON = flags.DEFINE_bool("json", False, "print the table as one last line of JSON as well")


@dataclasses.dataclass(frozen=True)
class Row:
    """One codec's figures; `family` groups the points of a curve in the plot."""

    family: str
    codec: str
    bits_per_parameter: float
    entropy_bound: float | None
    relative_squared_error: float
    encode_ms: float
    decode_ms: float
    share_of_training: float


def measure(
    family: str,
    name: str,
    codec: Codec,
    delta: collections.OrderedDict[str, np.ndarray],
    training_seconds: float,
) -> Row:
    """Encodes and decodes the whole delta, variable by variable, and times both."""
    tensors = [tf.constant(value) for value in delta.values()]
    described = [(value.shape, value.dtype) for value in delta.values()]
    variables = code_variables(described, codec, _MIN_ELEMENTS.value)
    seed = tf.constant([0, 1])
    compiled = {variable: _compiled(variable) for variable in set(variables)}

    def encode(tensors):
        return [compiled[v].encode(x, seed) for v, x in zip(variables, tensors, strict=True)]

    def decode(payloads):
        return [compiled[v].decode(p, seed) for v, p in zip(variables, payloads, strict=True)]

    payloads, encode_ms = _timed(encode, tensors)
    decoded, decode_ms = _timed(decode, payloads)
    count = sum(value.size for value in delta.values())
    bits = sum(int(v.codec.payload_bits(p)) for v, p in zip(variables, payloads, strict=True))
    error = sum(float(tf.nn.l2_loss(y - x)) for x, y in zip(tensors, decoded, strict=True))
    norm = sum(float(tf.nn.l2_loss(x)) for x in tensors)
    bound = _entropy_bound(variables, tensors, payloads, seed)
    return Row(
        family=family,
        codec=name,
        bits_per_parameter=bits / count,
        entropy_bound=bound / count if bound is not None else None,
        relative_squared_error=error / norm,
        encode_ms=encode_ms,
        decode_ms=decode_ms,
        share_of_training=(encode_ms + decode_ms) / (1000 * training_seconds),
    )


class _Compiled(NamedTuple):
    """Graphs shared by the variables of one shape."""

    encode: Callable
    decode: Callable


def _compiled(variable: CodedVariable) -> _Compiled:
    return _Compiled(
        tf.function(variable.encode, autograph=False), tf.function(variable.decode, autograph=False)
    )


def _timed(function: Callable[[list], list], argument: list) -> tuple[list, float]:
    """The result and the median time in milliseconds, tracing excluded."""
    result = function(argument)
    times = []
    for _ in range(_REPEATS.value):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return result, 1000 * statistics.median(times)


def _entropy_bound(
    variables: list[CodedVariable],
    tensors: list[tf.Tensor],
    payloads: list[dict[str, tf.Tensor]],
    seed: tf.Tensor,
) -> float | None:
    """Bits of all payloads with their levels at the entropy, or None for a codec without levels."""
    total, found = 0.0, False
    for variable, tensor, payload in zip(variables, tensors, payloads, strict=True):
        floats = [part for part in payload.values() if part.dtype.is_floating]
        total += sum(8 * part.dtype.size * int(tf.size(part)) for part in floats)
        levels = variable.codec.levels(tensor, seed)
        if levels is not None:
            found = True
            counts = np.bincount(levels.numpy())
            counts = counts[counts > 0]
            total += float(np.sum(counts * -np.log2(counts / counts.sum())))
    return total if found else None


def print_header() -> None:
    """Prints the head of a table in Markdown."""
    columns = ["codec", "bits/parameter", "entropy bound", "relative error", "encode ms"]
    columns += ["decode ms", "share of training"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def print_row(row: Row) -> None:
    """Prints one line of that table."""
    cells = [
        row.codec,
        f"{row.bits_per_parameter:.3f}",
        f"{row.entropy_bound:.3f}" if row.entropy_bound is not None else "-",
        f"{row.relative_squared_error:.3g}",
        f"{row.encode_ms:.0f}",
        f"{row.decode_ms:.0f}",
        f"{row.share_of_training:.1%}",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def write_plot(rows: list[Row], path: str) -> None:
    """Error against bits, one curve a family, and the bound 4**-bits of any code for a Gaussian."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5.5))
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.relative_squared_error > 0.0:
            point = (row.bits_per_parameter, row.relative_squared_error)
            curves.setdefault(row.family, []).append(point)
    for index, (family, points) in enumerate(curves.items()):
        style = {"marker": "osD^vP*X"[index % 8], "linestyle": "--" if "entropy" in family else "-"}
        axes.plot(*zip(*sorted(points), strict=True), label=family, **style)
    bits = np.linspace(0.1, 9, 50)
    axes.plot(bits, 4.0**-bits, "k:", label="rate-distortion bound, Gaussian")
    axes.set(xscale="log", yscale="log", xlabel="bits per parameter", ylabel="relative error")
    axes.set_ylim(1e-6, max(10.0, math.sqrt(10) * max(y for p in curves.values() for _, y in p)))
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.savefig(path, dpi=150, bbox_inches="tight")
    pyplot.close(figure)


def _run_as_in_a_worker() -> None:
    """Starts this program anew with a worker's memory allocator, unless that has been done."""
    wanted = allocator.environment(1)
    if wanted.items() - os.environ.items():
        command = [sys.executable, "-m", "benchmarks.codecs", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **wanted})


def main(argv: list[str]) -> None:
    """Measures every codec on the delta."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]}")
    _run_as_in_a_worker()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")  # a codec is traced once for each shape: no mistake
    chosen = [
        (family, name, codec)
        for family, members in families().items()
        for name, codec in members.items()
        if _ONLY.value in name
    ]
    if not chosen:
        raise app.UsageError(f"--only={_ONLY.value} matches no codec")
    precision_name = precision.resolve(_PRECISION.value)
    delta, seconds, tokens = client_delta(_MODEL.value, precision_name, _REPEATS.value)
    print(
        f"{sum(v.size for v in delta.values()):,} parameters in {len(delta)} variables; the client "
        f"trained on {tokens:,} tokens in {seconds:.2f} s ({precision_name}, one thread)\n"
    )
    rows = []
    print_header()
    for family, name, codec in chosen:
        rows.append(measure(family, name, codec, delta, seconds))
        print_row(rows[-1])
    if _PLOT.value:
        write_plot(rows, _PLOT.value)
        print(f"\nPlot: {_PLOT.value}")
    if _JSON.value:
        report = {
            "model": _MODEL.value,
            "precision": precision_name,
            "training_seconds": seconds,
            "tokens": tokens,
            "codecs": [dataclasses.asdict(row) for row in rows],
        }
        print(json.dumps(report))


if __name__ == "__main__":
    app.run(main)
