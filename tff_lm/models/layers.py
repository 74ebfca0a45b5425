"""The layers that every model is made of. All of them act on packed values, [N, d]."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tff_lm.models.gradients import matmul
from tff_lm.models.registry import NORMS
from tff_lm.models.token_packing import TokenPacking

# Of all units of a norm, or float[d], of each.
Gain = float | np.ndarray

COMPUTE_DTYPES = {"float32": tf.float32, "bfloat16": tf.bfloat16}


@dataclasses.dataclass(frozen=True)
class CallContext:
    """What a layer needs beside its input.

    Attributes:
      packing: where the real tokens lie.
      training: whether dropout acts.
      seed: int32[2], the stateless seed of this call's dropout; unused unless training.
      trained: for partial variable training, a bool scalar by variable name: where it is false the
        weight's gradient is zero and its matrix product is not executed. Variables that are not
        named are trained.
      shared: what a layer leaves for those above it, by name.
    """

    packing: TokenPacking
    training: bool = False
    seed: tf.Tensor | None = None
    trained: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)
    shared: dict[str, tf.Tensor] = dataclasses.field(default_factory=dict)


def stream(name: str) -> int:
    """A stable 31-bit number for `name`, to derive seeds by name and not by creation order."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


class SeededNormal(tf.keras.initializers.Initializer):
    """A normal distribution whose values depend on (seed, variable name, shape) alone."""

    def __init__(self, stddev: float, seed: int, name: str):
        self._stddev, self._seed = stddev, (seed, stream(name))

    def __call__(self, shape, dtype=tf.float32, **_):
        values = tf.random.stateless_truncated_normal(shape, self._seed, dtype=tf.float32)
        return tf.cast(values * self._stddev, dtype)


class SubLayer(tf.keras.layers.Layer):
    """A layer whose weights carry their full path as name and are made when the layer is.

    Attributes:
      adaptable: Names of its matrices that a low-rank correction may be added to (see `lora`).
    """

    adaptable: tuple[str, ...] = ()

    def __init__(self, path: str, precision: str = "float32"):
        super().__init__(name=path.replace("/", "."))
        self.path = path
        self.precision = COMPUTE_DTYPES[precision]
        self.named_weights: dict[str, tf.Variable] = {}
        self.freezable: list[str] = []
        self.matrices: dict[str, int] = {}

    def weight(
        self,
        name: str,
        shape: list[int],
        initializer: object,
        freezable: bool = False,
        matrices: int = 0,
    ) -> tf.Variable:
        """Adds a trainable float32 variable named `path/name`.

        A freezable one must enter the computation through `matmul` or another function that heeds
        `context.trained`. `matrices` is what `protocol.MatrixModel` asks for.
        """
        full_name = f"{self.path}/{name}"
        variable = self.add_weight(
            name=full_name, shape=shape, dtype=tf.float32, initializer=initializer
        )
        self.named_weights[full_name] = variable
        if freezable:
            self.freezable.append(full_name)
        if matrices:
            self.matrices[full_name] = matrices
        return variable

    def adapt(self, name: str, correction: SubLayer) -> None:
        """Adds a correction to the matrix `name`, one of `adaptable`."""
        setattr(self, f"{name}_correction", correction)

    def correction(self, name: str) -> Any:
        """The correction of the matrix `name`; None if it has none."""
        return getattr(self, f"{name}_correction", None)


class Linear(SubLayer):
    """[N, in] -> [N, out], a product with one matrix; it runs in the layer's precision.

    It may be `matrices` side by side, whose outputs are used apart.
    """

    adaptable = ("kernel",)
    bias: tf.Variable | None = None

    def __init__(
        self,
        path: str,
        width_in: int,
        width_out: int,
        *,
        seed: int,
        precision: str,
        scale: float = 1.0,
        matrices: int = 1,
    ):
        super().__init__(path, precision)
        stddev = scale * width_in**-0.5
        drawn = SeededNormal(stddev, seed, f"{path}/kernel")
        self.kernel = self.weight("kernel", [width_in, width_out], drawn, True, matrices)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, in] -> [N, out]."""
        trained = context.trained.get(f"{self.path}/kernel")
        result = matmul(x, self.kernel, self.precision, trained, bias=self.bias)
        correction = self.correction("kernel")
        return result if correction is None else result + correction(x, context)


class Dense(Linear):
    """[N, in] -> [N, out], with a bias."""

    def __init__(self, path: str, width_in: int, width_out: int, **options: Any):
        super().__init__(path, width_in, width_out, **options)
        self.bias = self.weight("bias", [width_out], "zeros")


class Norm(SubLayer):
    """Brings its input to unit size over the last axis, times a trained gain; see `NORMS`."""

    def __init__(self, path: str, width: int, initial_gain: Gain = 1.0):
        """Makes the weights for inputs of a width."""
        del width, initial_gain
        super().__init__(path)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[..., d] -> float32[..., d]."""
        raise NotImplementedError

    def plain(self, x: tf.Tensor) -> tf.Tensor:
        """The same without weights, float32[N, d] -> float32[N, d]."""
        raise NotImplementedError


@NORMS.register("layer")
class LayerNorm(Norm):
    """Layer normalization over the last axis (Ba et al. 2016, arXiv 1607.06450), in float32."""

    def __init__(self, path: str, width: int, initial_gain: Gain = 1.0):
        super().__init__(path, width)
        gain = tf.keras.initializers.Constant(initial_gain)
        self.gamma = self.weight("gamma", [width], gain)
        self.beta = self.weight("beta", [width], "zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, d] -> float32[N, d]."""
        return layer_norm(tf.cast(x, tf.float32), self.gamma, self.beta)

    def plain(self, x: tf.Tensor) -> tf.Tensor:
        """The same with a gain of 1 and without an offset."""
        width = x.shape[-1]
        return layer_norm(x, tf.ones([width]), tf.zeros([width]))


@tf.custom_gradient
def layer_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Gamma * (x - mean) / sqrt(variance + 1e-6) + beta, with its gradient in closed form.

    A third of the operations of automatic differentiation: these are many and small, and small
    models are bound by them.
    """
    centered = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(tf.square(centered), axis=-1, keepdims=True) + 1e-6)
    normalized = centered * inverse

    def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        scaled = upstream * gamma
        mean = tf.reduce_mean(scaled, axis=-1, keepdims=True)
        projection = tf.reduce_mean(scaled * normalized, axis=-1, keepdims=True)
        x_gradient = (scaled - mean - normalized * projection) * inverse
        return x_gradient, tf.reduce_sum(upstream * normalized, 0), tf.reduce_sum(upstream, 0)

    return normalized * gamma + beta, grad


class Dropout(SubLayer):
    """Stateless inverted dropout: the mask depends on (context.seed, the layer's path)."""

    def __init__(self, path: str, rate: float):
        super().__init__(path)
        self.rate = rate

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        if self.rate == 0.0 or not context.training:
            return x
        if context.seed is None:
            raise ValueError("Dropout in training needs a stateless seed: pass seed=int32[2].")
        seed = tf.random.experimental.stateless_fold_in(context.seed, stream(self.path))
        return tf.nn.experimental.stateless_dropout(x, self.rate, seed)
