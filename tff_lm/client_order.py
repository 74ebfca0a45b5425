"""A client's order: who trains in which round, and how much; all that a round sends to a worker.

As text it is `seed/round/client id`, with what is not the default between the round and the client:
`7/12;steps=3;share=0.5/anna`. Everything random at a client (order, dropout, masks, rounding)
follows from a hash of `seed/round/client id` alone, so equal orders give equal results, and a
client who is told to do less does the first part of the same work.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf

# Names no client: someone without data, who fills up a cohort of a fixed size.
NOBODY = ""

_NUMBERS = r"(-?\d+)/(-?\d+)"
_EXTENT = r"((?:;[a-z_]+=[-+.\de]+)*)"
_ORDER = re.compile(f"(?s){_NUMBERS}{_EXTENT}/(.+)")
_GRAPH_ORDER = rf"(?s){_NUMBERS}{_EXTENT}/.+"

# Secret keys of a hash that needs no secret: two independent halves of a seed.
_SEED_KEYS = ((17, 71), (23, 32))
_SEED_RANGE = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class ClientOrder:
    """What one client is to do in one round; clients of a round may have different orders.

    Attributes:
      seed: Of the run.
      round: Counted from 1; evaluations are in round 0, which is never trained.
      client: Id; `NOBODY` is the client without data.
      steps: Most batches of a pass over its text (with one local epoch: local steps); 0: all.
      share: Of those batches, the first part that is trained on, above 0 and at most 1; at least
        one batch.
      model_version: The round after which the model is that it trains; -1: the present one.
    """

    seed: int
    round: int
    client: str
    steps: int = 0
    share: float = 1.0
    model_version: int = -1

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0.0 < self.share <= 1.0 or self.model_version < -1:
            raise ValueError(
                f"an order has steps >= 0, 0 < share <= 1 and model_version >= -1: {self}"
            )

    def encode(self) -> str:
        """The order as text; "" for nobody."""
        if self.client == NOBODY:
            return ""
        extent = [
            f";{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)[3:]
            if getattr(self, field.name) != field.default
        ]
        return f"{int(self.seed)}/{int(self.round)}{''.join(extent)}/{self.client}"

    @classmethod
    def parse(cls, text: str) -> ClientOrder:
        """The order in `text`, as `encode` writes it.

        Raises:
          ValueError: If it is none.
        """
        if not text:
            return cls(0, 0, NOBODY)
        match = _ORDER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no client's order, seed/round/client id")
        given = dict(part.split("=") for part in match[3].split(";")[1:])
        readers = {"steps": int, "share": float, "model_version": int}
        if unknown := given.keys() - readers.keys():
            raise ValueError(f"{text!r}: an order has no {min(unknown)}")
        extent = {name: readers[name](value) for name, value in given.items()}
        return cls(int(match[1]), int(match[2]), match[4], **extent)


class OrderTensors(NamedTuple):
    """An order within a graph.

    Attributes:
      client: string[], the id.
      seed: int32[2], of everything random at the client in this round.
      steps: int64[], see `ClientOrder`.
      share: float64[].
    """

    client: tf.Tensor
    seed: tf.Tensor
    steps: tf.Tensor
    share: tf.Tensor


def parse_in_graph(text: tf.Tensor) -> OrderTensors:
    """The order in `text`, string[], by TensorFlow's core operations alone.

    A text that is neither an order nor empty fails when the result is computed.
    """
    import tensorflow as tf

    well_formed = tf.strings.regex_full_match(text, f"({_GRAPH_ORDER})?")
    message = "A client's order is 'seed/round/client id' or empty, not"
    with tf.control_dependencies([tf.debugging.Assert(well_formed, [message, text])]):
        text = tf.identity(text)
    plain = _replaced(text, f"^{_NUMBERS}{_EXTENT}/", r"\1/\2/")
    halves = [tf.strings.to_hash_bucket_strong(plain, _SEED_RANGE, key) for key in _SEED_KEYS]
    return OrderTensors(
        client=_replaced(plain, f"^{_NUMBERS}/", ""),
        seed=tf.cast(tf.stack(halves), tf.int32),
        steps=_number(text, "steps", "0", tf.int64),
        share=_number(text, "share", "1", tf.float64),
    )


def _replaced(text: tf.Tensor, pattern: str, rewrite: str) -> tf.Tensor:
    import tensorflow as tf

    return tf.strings.regex_replace(text, pattern, rewrite, replace_global=False)


def _number(text: tf.Tensor, name: str, default: str, dtype: tf.DType) -> tf.Tensor:
    """The value of `;name=...` before the client's id."""
    import tensorflow as tf

    head = rf"(?s)^{_NUMBERS}(?:;[a-z_]+=[-+.\de]+)*?;{name}=([-+.\de]+){_EXTENT}/.*$"
    there = tf.strings.regex_full_match(text, head)
    value = tf.strings.regex_replace(text, head, r"\3", replace_global=False)
    return tf.strings.to_number(tf.where(there, value, default), dtype)
