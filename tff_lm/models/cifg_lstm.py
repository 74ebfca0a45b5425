"""CIFG-LSTM with a recurrent projection: the language model of mobile keyboards.

Coupled input and forget gates (Greff et al. 2017, arXiv 1503.04069, section 3) and a projection of the cell's output back to
the embedding's width (Sak et al. 2014). With z = W x + U h + b split into forget, output and candidate parts:

    f = sigmoid(z_f)    o = sigmoid(z_o)    g = tanh(z_g)
    c' = f * c + (1 - f) * g    m = o * tanh(c')    h' = P m
"""

from __future__ import annotations

import tensorflow as tf

from tff_lm.models.layers import CallContext, Dropout, SeededNormal, SubLayer, matmul

Step = tuple[tf.Tensor, ...]


class CifgLstm(SubLayer):
    """The body of the model: one or more CIFG-LSTM layers, [N, d] -> [N, d]."""

    def __init__(self, *, width: int, hidden: int, layers: int, dropout: float, seed: int,
                 precision: str):  # fmt: skip
        super().__init__("cifg_lstm", precision)
        self.layers = [
            CifgLstmLayer(f"lstm_{i}", width, hidden, seed=seed, precision=precision)
            for i in range(layers)
        ]
        self.dropouts = [Dropout(f"lstm_{i}/dropout", dropout) for i in range(layers)]

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            x = dropout(layer(x, context), context)
        return x


class CifgLstmLayer(SubLayer):
    """One layer. The input's projection runs once over all tokens, the recurrence in time."""

    def __init__(self, path: str, width: int, hidden: int, *, seed: int, precision: str):
        super().__init__(path, precision)
        self.hidden = hidden
        # Each product's own fan-in: input and state add up in z.
        stddev = (2 * width) ** -0.5

        def normal(name: str, stddev: float) -> SeededNormal:
            return SeededNormal(stddev, seed, f"{path}/{name}")

        self.kernel = self.weight("kernel", [width, 3 * hidden], normal("kernel", stddev))
        self.recurrent_kernel = self.weight(
            "recurrent_kernel", [width, 3 * hidden], normal("recurrent_kernel", stddev)
        )
        self.bias = self.weight("bias", [3 * hidden], _forget_one(hidden))
        self.projection = self.weight(
            "projection", [hidden, width], normal("projection", hidden**-0.5)
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        projected = matmul(x, self.kernel, self.precision, context)
        projected = tf.cast(projected, tf.float32) + self.bias
        outputs = cifg_recurrence(
            context.packing.unpack_time_major(projected),
            tf.cast(self.recurrent_kernel, self.precision),
            tf.cast(self.projection, self.precision),
        )
        return context.packing.pack_time_major(outputs)


def _forget_one(hidden: int):  # type: ignore[no-untyped-def]
    """Forget gates start open at bias 1 (Jozefowicz et al. 2015); the other biases at 0."""
    return lambda shape, dtype=tf.float32, **_: tf.concat(
        [tf.ones([hidden], dtype), tf.zeros([shape[0] - hidden], dtype)], 0
    )


@tf.custom_gradient
def cifg_recurrence(  # type: ignore[no-untyped-def]
    projected: tf.Tensor, recurrent: tf.Tensor, projection: tf.Tensor
):
    """The recurrence from a zero state, with backpropagation through time written out.

    Automatic differentiation adds a gradient of the size of the weights at every step; here the steps' gradients are kept
    and the weights' gradients are one product each, after the last step.

    Args:
      projected: float32[T, B, 3h], W x + b of every step; zeros at the padding, whose outputs are meaningless.
      recurrent: [d, 3h], U, in the precision of the products.
      projection: [h, d], P.

    Returns:
      float32[T, B, d], the outputs h' of every step.
    """
    hidden, width = projection.shape
    length, batch = tf.shape(projected)[0], tf.shape(projected)[1]
    precision = recurrent.dtype

    def product(x: tf.Tensor, weights: tf.Tensor, **transposed: bool) -> tf.Tensor:
        return tf.cast(tf.matmul(tf.cast(x, precision), weights, **transposed), tf.float32)

    def array(size: int) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, size=length, element_shape=[None, size])

    def forward(t, cell, state, gates, cells, mixed, states):  # type: ignore[no-untyped-def]
        z = projected[t] + product(state, recurrent)
        opened = tf.sigmoid(z[:, : 2 * hidden])
        forget, out, candidate = *tf.split(opened, 2, axis=1), tf.tanh(z[:, 2 * hidden :])
        cell = candidate + forget * (cell - candidate)
        output = out * tf.tanh(cell)
        state = product(output, projection)
        return (t + 1, cell, state, gates.write(t, tf.concat([opened, candidate], 1)),
                cells.write(t, cell), mixed.write(t, output), states.write(t, state))  # fmt: skip

    start = (
        0, tf.zeros([batch, hidden]), tf.zeros([batch, width]),
        array(3 * hidden), array(hidden), array(hidden), array(width),
    )  # fmt: skip
    *_, gates, cells, mixed, states = tf.while_loop(
        lambda t, *_: t < length, forward, start, maximum_iterations=length
    )
    outputs, cells, mixed, gates = states.stack(), cells.stack(), mixed.stack(), gates.stack()

    def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        def backward(t, d_cell, d_state, d_gates, d_states):  # type: ignore[no-untyped-def]
            forget, out, candidate = tf.split(gates[t], 3, axis=1)
            previous = tf.cond(t > 0, lambda: cells[t - 1], lambda: tf.zeros([batch, hidden]))
            squashed = tf.tanh(cells[t])
            d_state += upstream[t]
            d_mixed = product(d_state, projection, transpose_b=True)
            d_cell += d_mixed * out * (1.0 - tf.square(squashed))
            d_z = tf.concat(
                [
                    d_cell * (previous - candidate) * forget * (1.0 - forget),
                    d_mixed * squashed * out * (1.0 - out),
                    d_cell * (1.0 - forget) * (1.0 - tf.square(candidate)),
                ],
                axis=1,
            )
            return (t - 1, d_cell * forget, product(d_z, recurrent, transpose_b=True),
                    d_gates.write(t, d_z), d_states.write(t, d_state))  # fmt: skip

        *_, d_gates, d_states = tf.while_loop(
            lambda t, *_: t >= 0,
            backward,
            (length - 1, tf.zeros([batch, hidden]), tf.zeros([batch, width]),
             array(3 * hidden), array(width)),
            maximum_iterations=length,
        )  # fmt: skip
        d_projected, d_states = d_gates.stack(), d_states.stack()
        # The state that step t read is the output of step t - 1; step 0 read zeros.
        d_recurrent = _outer(outputs[:-1], d_projected[1:], precision)
        return d_projected, d_recurrent, _outer(mixed, d_states, precision)

    return outputs, grad


def _outer(left: tf.Tensor, right: tf.Tensor, precision: tf.DType) -> tf.Tensor:
    """Sum over steps and rows of left^T right, [T, B, m] and [T, B, n] -> [m, n]."""
    flat_left = tf.reshape(tf.cast(left, precision), [-1, left.shape[-1]])
    flat_right = tf.reshape(tf.cast(right, precision), [-1, right.shape[-1]])
    return tf.matmul(flat_left, flat_right, transpose_a=True)
