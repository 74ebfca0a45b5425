"""Learning-rate schedules as pure functions: a step (int32 tensor) -> a factor (float32 tensor).

The factor multiplies the base learning rate.  The same functions serve the server's rounds, the
client's rate over rounds and the client's rate over its local steps.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

Schedule = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ScheduleOptions:
    """How a learning rate changes.

    Attributes:
      name: One of `SCHEDULES`.
      warmup_steps: Steps over which the factor first grows linearly up to 1.
      decay_steps: Steps after the warm-up in which a decaying schedule reaches `final_factor`.
      final_factor: The factor at the end of a decay, in [0, 1].
    """

    name: str = "constant"
    warmup_steps: int = 0
    decay_steps: int = 0
    final_factor: float = 0.0


def _constant(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    del options
    return tf.ones_like(progress)


def _linear(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    fraction = tf.minimum(progress / options.decay_steps, 1.0)
    return 1.0 + (options.final_factor - 1.0) * fraction


def _cosine(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    fraction = tf.minimum(progress / options.decay_steps, 1.0)
    cosine = 0.5 * (1.0 + tf.cos(math.pi * fraction))
    return options.final_factor + (1.0 - options.final_factor) * cosine


def _exponential(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    return tf.pow(options.final_factor, tf.minimum(progress / options.decay_steps, 1.0))


def _inverse_square_root(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    offset = float(max(options.warmup_steps, 1))
    return tf.math.rsqrt((progress + offset) / offset)


SCHEDULES: dict[str, Callable[[tf.Tensor, ScheduleOptions], tf.Tensor]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "exponential": _exponential,
    "inverse_square_root": _inverse_square_root,
}
_DECAYING = ("linear", "cosine", "exponential")


def build_schedule(options: ScheduleOptions) -> Schedule:
    """Returns the factor's function of the step (counted from 0).

    Raises:
      ValueError: For an unknown name, negative steps, or a decay without `decay_steps`.
    """
    if options.name not in SCHEDULES:
        raise ValueError(f"schedule {options.name!r} is unknown; use one of {sorted(SCHEDULES)}")
    if options.warmup_steps < 0 or options.decay_steps < 0:
        raise ValueError(f"schedule {options.name!r}: steps must not be negative, got {options}")
    if options.name in _DECAYING and options.decay_steps == 0:
        raise ValueError(f"schedule {options.name!r} needs decay_steps of at least 1")
    if options.name == "exponential" and options.final_factor <= 0.0:
        raise ValueError("schedule 'exponential' needs a final_factor above 0")

    def factor(step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        progress = tf.maximum(step - options.warmup_steps, 0.0)
        value = SCHEDULES[options.name](progress, options)
        if options.warmup_steps:
            value *= tf.minimum((step + 1.0) / options.warmup_steps, 1.0)
        return value

    return factor
