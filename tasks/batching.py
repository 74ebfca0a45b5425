"""A client's batches, made inside the TFF worker from the client's order for a round.

Only TensorFlow's core operations: the worker knows no others. Nothing here runs in Python per
round; the function that `make_dataset_fn` returns is traced once, and everything random in it is a
function of the string.
"""

import collections
import dataclasses
import fractions
import os
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from tasks.bucketing import equal_splits, least_padding_splits
from tasks.client_store import TOKENS
from tasks.errors import TaskError, unknown_name
from tasks.splitting import SPLITS, UNSEEN
from tff_lm.client_order import OrderTensors, parse_in_graph

# Streams folded into a client's seed; `seed` of a batch is the bare seed, so users fold in streams
# of theirs.
_SELECTION_STREAM = 1_000_001
_EXAMPLE_ORDER_STREAM = 1_000_002
_BATCH_ORDER_STREAM = 1_000_003

_ALL_ROWS = 2**31 - 1

ALL_SENTENCES = (0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class BatchSpec:
    """How a client's sentences become batches.

    Attributes:
      batch_size: Sentences in a batch; the last one may have fewer.
      max_length: A sentence contributes at most this many tokens to `x`. A sentence cut short keeps
        its [BOS] and has no [EOS] among its targets: its end was not seen. Of a task that was
        prepared for this length none is (`tasks.windows`).
      examples_per_client: At most this many sentences of a client; None takes all.
      shuffle: Whether sentences are drawn, and batches ordered, at random by (seed, round, client).
        If not, the first ones in stored order are taken.
      bucket: Whether sentences of like length share a batch. If not, batches are cut from the order
        as it is.
      extra_batches: With buckets, how many batches an epoch may have beyond the fewest possible;
        they are cut where that saves the most padding (see `bucketing`). 0 keeps the number of
        local steps of other systems.
      part: Which of a client's sentences there are at all, from one share of them up to another, in
        stored order: of 5, (0, 0.5) has the first 2 and (0.5, 1) the other 3 (`part_bounds`).
    """

    batch_size: int = 16
    max_length: int = 30
    examples_per_client: int | None = None
    shuffle: bool = True
    bucket: bool = True
    extra_batches: int = 1
    part: tuple[float, float] = ALL_SENTENCES

    def __post_init__(self):
        for name in ("batch_size", "max_length", "examples_per_client"):
            value = getattr(self, name)
            if value is None and name == "examples_per_client":
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise TaskError(f"{name} is a whole number of at least 1, not {value!r}")
        if not isinstance(self.extra_batches, int) or self.extra_batches < 0:
            raise TaskError(f"extra_batches is a whole number, not {self.extra_batches!r}")
        if not 0.0 <= self.part[0] <= self.part[1] <= 1.0:
            raise TaskError(f"part is two ascending shares from 0 to 1, not {self.part!r}")


def element_spec() -> collections.OrderedDict:
    """Type of a batch: x and y int32[B, T], 0 is padding in both; seed int32[2]."""
    return collections.OrderedDict(
        x=tf.TensorSpec([None, None], tf.int32),
        y=tf.TensorSpec([None, None], tf.int32),
        seed=tf.TensorSpec([2], tf.int32),
    )


def make_dataset_fn(
    data_path: str, split: str, spec: BatchSpec
) -> Callable[[tf.Tensor], tf.data.Dataset]:
    """Builds the function from a client's order to its batches in that round.

    Args:
      data_path: SQLite file of clients, as the worker sees it; a constant of the graph.
      split: "train", "validation", "test" or "unseen".
      spec: How to make batches.

    Returns:
      A function from a scalar string (`ClientOrder.encode`) to a dataset of `element_spec()`. The
      empty order and an id without rows have no batches (`Task.check_client_ids` tells the
      latter); any other string that is not an order fails when the data is read.
    """
    if split not in (*SPLITS, UNSEEN):
        raise unknown_name("split", split, (*SPLITS, UNSEEN))
    data_path = os.path.abspath(data_path)

    def client_dataset(order: tf.Tensor) -> tf.data.Dataset:
        ordered = parse_in_graph(order)
        rows = _part_of(_client_rows(data_path, split, ordered.client), spec.part)
        return _without_rewriting(_client_batches(rows, ordered, spec))

    return client_dataset


def _without_rewriting(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Turns off tf.data's own optimizer: rewriting so small a graph costs more than running it."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return dataset.with_options(options)


def _client_rows(data_path: str, split: str, client_id: tf.Tensor) -> tf.Tensor:
    """The serialized examples of one client, string[n], in stored order, by way of the index."""
    query = [
        "SELECT serialized_example_proto FROM examples WHERE client_id = '",
        tf.strings.regex_replace(client_id, "'", "''"),
        f"' AND split_name = '{split}' ORDER BY rowid",
    ]
    rows = tf.data.experimental.SqlDataset(
        "sqlite", data_path, tf.strings.join(query), output_types=tf.string
    )
    # One tensor instead of nested data sets, whose functions would be instantiated anew for every
    # client. The row of nothing at the end is there because a client without rows must have a
    # tensor, too.
    rows = rows.concatenate(tf.data.Dataset.from_tensors("")).batch(_ALL_ROWS)
    return _without_rewriting(rows).get_single_element()[:-1]


def part_bounds(count: tf.Tensor, part: tuple[float, float]) -> tuple[tf.Tensor, tf.Tensor]:
    """int64[] first and end of a part of `count` int64[] sentences, rounded down.

    A share is the fraction that it stands for: 0.29 of 100 are 29; the float's product is less.
    """
    shares = [fractions.Fraction(str(share)).limit_denominator(1_000_000) for share in part]
    first, end = (count * share.numerator // share.denominator for share in shares)
    return first, end


def _part_of(rows: tf.Tensor, part: tuple[float, float]) -> tf.Tensor:
    """The rows of a part, string[n], in stored order."""
    if part == ALL_SENTENCES:
        return rows
    first, end = part_bounds(tf.size(rows, out_type=tf.int64), part)
    return rows[first:end]


def _client_batches(rows: tf.Tensor, ordered: OrderTensors, spec: BatchSpec) -> tf.data.Dataset:
    """The batches of a client's serialized examples, string[n]."""
    seed = ordered.seed
    if spec.shuffle:
        rows = tf.random.experimental.stateless_shuffle(rows, _stream(seed, _SELECTION_STREAM))
    rows = rows[: spec.examples_per_client]
    feature = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
    tokens = tf.cast(tf.io.parse_example(rows, {TOKENS: feature})[TOKENS], tf.int32)
    lengths = tf.minimum(tokens.row_lengths() - 1, spec.max_length)
    tokens = tokens.to_tensor()
    order = _example_order(lengths, seed, spec)
    starts, ends = _batch_order(*_splits(lengths, spec), seed, spec)
    count = _batches_to_train(tf.size(starts, out_type=tf.int64), ordered)
    starts, ends = starts[:count], ends[:count]

    def batch(start: tf.Tensor, end: tf.Tensor) -> collections.OrderedDict:
        members = order[start:end]
        width = tf.reduce_max(tf.gather(lengths, members)) + 1
        x, y = _inputs_and_targets(tf.gather(tokens, members)[:, :width])
        return collections.OrderedDict(x=x, y=y, seed=seed)

    return tf.data.Dataset.from_tensor_slices((starts, ends)).map(batch)


def _batches_to_train(count: tf.Tensor, ordered: OrderTensors) -> tf.Tensor:
    """int64[]: how many of `count` batches the order asks for."""
    most = tf.where(ordered.steps > 0, tf.minimum(count, ordered.steps), count)
    return tf.cast(tf.math.ceil(tf.cast(most, tf.float64) * ordered.share), tf.int64)


def _inputs_and_targets(tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits padded sentences [BOS] w1 .. wn [EOS], int32[B, T + 1], into x and y, int32[B, T]."""
    y = tokens[:, 1:]
    # Not `y != 0`: in the graphs that TFF traces, that compares the Python objects.
    return tf.where(tf.not_equal(y, 0), tokens[:, :-1], 0), y


def _stream(seed: tf.Tensor, stream: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(seed, stream)


def _example_order(lengths: tf.Tensor, seed: tf.Tensor, spec: BatchSpec) -> tf.Tensor:
    """int32[n]: the order of sentences."""
    key = tf.zeros(tf.shape(lengths))
    if spec.shuffle:
        # With buckets, a fraction of one token: it only orders sentences of equal length.
        stream = _stream(seed, _EXAMPLE_ORDER_STREAM)
        key += tf.random.stateless_uniform(tf.shape(lengths), stream)
    if spec.bucket:
        key += tf.cast(lengths, tf.float32)
    return tf.argsort(key, stable=True)


def _splits(lengths: tf.Tensor, spec: BatchSpec) -> tuple[tf.Tensor, tf.Tensor]:
    """int64[k] starts and ends of batches in the order of sentences."""
    count = tf.size(lengths, out_type=tf.int64)
    if not spec.bucket:
        return equal_splits(count, spec.batch_size)
    return least_padding_splits(tf.sort(lengths), spec.batch_size, spec.extra_batches)


def _batch_order(
    starts: tf.Tensor, ends: tf.Tensor, seed: tf.Tensor, spec: BatchSpec
) -> tuple[tf.Tensor, tf.Tensor]:
    """int64[k] starts and ends of the batches in the order of training."""
    if not (spec.shuffle and spec.bucket):
        return starts, ends
    stream = _stream(seed, _BATCH_ORDER_STREAM)
    order = tf.argsort(tf.random.stateless_uniform(tf.shape(starts), stream), stable=True)
    return tf.gather(starts, order), tf.gather(ends, order)


def padding_fraction(batches: Iterable[Mapping[str, np.ndarray]]) -> float:
    """Share of the positions of `y` in all batches that are padding; 0 if there are none."""
    positions = padded = 0
    for batch in batches:
        y = np.asarray(batch["y"])
        positions += y.size
        padded += int(np.sum(y == 0))
    return padded / positions if positions else 0.0
