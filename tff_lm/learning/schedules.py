"""Learning-rate schedules as pure functions: a step (int32 tensor) -> a factor (float32 tensor).

The factor multiplies the base learning rate.  The same functions serve the server's rounds, the
client's rate over rounds and the client's rate over its local steps.
"""

import math
from collections.abc import Callable

import tensorflow as tf

from tff_lm.learning.options import ScheduleOptions
from tff_lm.learning.registry import SCHEDULES

Schedule = Callable[[tf.Tensor], tf.Tensor]


@SCHEDULES.register("constant")
def _constant(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    del options
    return tf.ones_like(progress)


@SCHEDULES.register("linear")
def _linear(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    fraction = tf.minimum(progress / options.decay, 1.0)
    return 1.0 + (options.final_factor - 1.0) * fraction


@SCHEDULES.register("cosine")
def _cosine(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    fraction = tf.minimum(progress / options.decay, 1.0)
    cosine = 0.5 * (1.0 + tf.cos(math.pi * fraction))
    return options.final_factor + (1.0 - options.final_factor) * cosine


@SCHEDULES.register("exponential")
def _exponential(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    return tf.pow(options.final_factor, tf.minimum(progress / options.decay, 1.0))


@SCHEDULES.register("inverse_square_root")
def _inverse_square_root(progress: tf.Tensor, options: ScheduleOptions) -> tf.Tensor:
    offset = float(max(options.warmup, 1))
    return tf.math.rsqrt((progress + offset) / offset)


_DECAYING = ("linear", "cosine", "exponential")


def build_schedule(options: ScheduleOptions) -> Schedule:
    """Returns the factor's function of the step (counted from 0).

    Raises:
      ValueError: For an unknown name, negative steps, or a decay without a length.
    """
    if options.warmup < 0 or options.decay < 0:
        raise ValueError(f"schedule {options.name!r}: steps must not be negative, got {options}")
    if options.name in _DECAYING and options.decay == 0:
        raise ValueError(f"schedule {options.name!r} needs a decay of at least 1 step")
    if options.name == "exponential" and options.final_factor <= 0.0:
        raise ValueError("schedule 'exponential' needs a final_factor above 0")

    shape = SCHEDULES[options.name]

    def factor(step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        progress = tf.maximum(step - options.warmup, 0.0)
        value = shape(progress, options)
        if options.warmup:
            value *= tf.minimum((step + 1.0) / options.warmup, 1.0)
        return value

    return factor
