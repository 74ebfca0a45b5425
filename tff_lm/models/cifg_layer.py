"""A CIFG-LSTM layer with a recurrent projection, and its recurrence.

Coupled input and forget gates (Greff et al. 2017, arXiv 1503.04069, section 3) and a projection of
the cell's output back to the embedding's width (Sak et al. 2014). With z = W x + U h + b split into
forget, output and candidate parts:

    f = sigmoid(z_f)    o = sigmoid(z_o)    g = tanh(z_g)
    c' = f * c + (1 - f) * g    m = o * tanh(c')    h' = P m

The first line and how h is read are a `Cell`, which can be another.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tff_lm.models.cifg_cell import Cell, SigmoidCell
from tff_lm.models.gradients import any_trained, gradient_if, matmul, outer_if
from tff_lm.models.layers import CallContext, SeededNormal, SubLayer


class CifgLstmLayer(SubLayer):
    """One layer. The input's projection runs once over all tokens, the recurrence in time."""

    adaptable = ("kernel", "recurrent_kernel", "projection")
    cell: Cell = SigmoidCell()

    def __init__(self, path: str, width: int, hidden: int, *, seed: int, precision: str):
        super().__init__(path, precision)
        self.hidden = hidden
        # Each product's own fan-in: input and state add up in z.
        stddev = (2 * width) ** -0.5

        def normal(name: str, stddev: float) -> SeededNormal:
            return SeededNormal(stddev, seed, f"{path}/{name}")

        gates = [width, 3 * hidden]
        self.kernel = self.weight("kernel", gates, normal("kernel", stddev), True, 3)
        self.recurrent_kernel = self.weight(
            "recurrent_kernel", gates, normal("recurrent_kernel", stddev), True, 3
        )
        self.bias = self.weight("bias", [3 * hidden], _forget_one(hidden))
        self.projection = self.weight(
            "projection", [hidden, width], normal("projection", hidden**-0.5), True, 1
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        projected = matmul(x, self.kernel, self.precision, self._trained("kernel", context))
        if (correction := self.correction("kernel")) is not None:
            projected += correction(x, context)
        projected = tf.cast(projected, tf.float32) + self.bias
        recurrent, recurrent_trained = self._matrix("recurrent_kernel", context)
        projection, projection_trained = self._matrix("projection", context)
        outputs = cifg_recurrence(
            self.cell,
            context.packing.unpack_time_major(projected),
            recurrent,
            projection,
            (recurrent_trained, projection_trained),
        )
        return context.packing.pack_time_major(outputs)

    def _trained(self, name: str, context: CallContext) -> tf.Tensor | None:
        return context.trained.get(f"{self.path}/{name}")

    def _matrix(self, name: str, context: CallContext) -> tuple[tf.Tensor, tf.Tensor | None]:
        """A matrix of the recurrence, in the layer's precision, and whether it needs a gradient.

        That is so where the matrix trains or its correction does, whose sum enters the products.
        """
        matrix, correction = getattr(self, name), self.correction(name)
        trained = self._trained(name, context)
        if correction is not None:
            matrix = gradient_if(trained, tf.convert_to_tensor(matrix))
            matrix += correction.matrix(context)
            trained = any_trained([trained, *correction.trained(context)])
        return tf.cast(matrix, self.precision), trained


def _forget_one(hidden: int) -> Callable[..., tf.Tensor]:
    """Forget gates start open at bias 1 (Jozefowicz et al. 2015); the other biases at 0."""
    return lambda shape, dtype=tf.float32, **_: tf.concat(
        [tf.ones([hidden], dtype), tf.zeros([shape[0] - hidden], dtype)], 0
    )


def cifg_recurrence(
    cell: Cell,
    projected: tf.Tensor,
    recurrent: tf.Tensor,
    projection: tf.Tensor,
    trained: tuple[tf.Tensor | None, tf.Tensor | None] = (None, None),
) -> tf.Tensor:
    """The recurrence from a zero state, with backpropagation through time written out.

    Automatic differentiation adds a gradient of the size of the weights at every step; here the
    steps' gradients are kept and the weights' gradients are one product each, after the last step.

    Args:
      cell: what the gates are, and how a state is read.
      projected: float32[T, B, 3h], W x + b of every step; zeros at the padding, whose outputs are
        meaningless.
      recurrent: [d, 3h], U, in the precision of the products.
      projection: [h, d], P.
      trained: bool scalars or None, whether `recurrent` and `projection` are trained (see
        `gradients.outer_if`).

    Returns:
      float32[T, B, d], the outputs h' of every step.
    """

    @tf.custom_gradient
    def recurrence(projected, recurrent, projection):
        outputs, kept, memories, mixed = _forward(cell, projected, recurrent, projection)

        def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            d_projected, d_states = _backward(
                cell, upstream, outputs, kept, memories, recurrent, projection
            )
            # The state that step t read is the output of step t - 1; step 0 read zeros.
            read = cell.read(outputs[:-1])
            d_recurrent = _outer(trained[0], read, d_projected[1:], recurrent.dtype)
            d_projection = _outer(trained[1], mixed, d_states, recurrent.dtype)
            return d_projected, d_recurrent, d_projection

        return outputs, grad

    return recurrence(projected, recurrent, projection)


def _product(x: tf.Tensor, weights: tf.Tensor, transpose_b: bool = False) -> tf.Tensor:
    return tf.cast(
        tf.matmul(tf.cast(x, weights.dtype), weights, transpose_b=transpose_b), tf.float32
    )


def _array(length: tf.Tensor, size: int) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, size=length, element_shape=[None, size])


def _forward(
    cell: Cell, projected: tf.Tensor, recurrent: tf.Tensor, projection: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The outputs [T, B, d]; for the backward pass what the cell keeps, memories c, and m."""
    hidden, width = projection.shape
    length, batch = tf.shape(projected)[0], tf.shape(projected)[1]

    def step(t, memory, state, kept, memories, mixed, states):
        now = cell.keep(projected[t] + _product(cell.read(state), recurrent))
        forget, out, candidate = cell.gates(now)
        memory = candidate + forget * (memory - candidate)
        output = out * tf.tanh(memory)
        state = _product(output, projection)
        arrays = kept.write(t, now), memories.write(t, memory), mixed.write(t, output)
        return t + 1, memory, state, *arrays, states.write(t, state)

    arrays = [_array(length, size) for size in (3 * hidden, hidden, hidden, width)]
    start = (0, tf.zeros([batch, hidden]), tf.zeros([batch, width]), *arrays)
    final = tf.while_loop(lambda t, *_: t < length, step, start, maximum_iterations=length)
    kept, memories, mixed, states = (array.stack() for array in final[3:])
    return states, kept, memories, mixed


def _backward(
    cell: Cell,
    upstream: tf.Tensor,
    outputs: tf.Tensor,
    kept: tf.Tensor,
    memories: tf.Tensor,
    recurrent: tf.Tensor,
    projection: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients at z, [T, B, 3h], and at the outputs and all after them, [T, B, d]."""
    hidden, width = projection.shape
    length, batch = tf.shape(kept)[0], tf.shape(kept)[1]

    def step(t, d_memory, d_read, d_gates, d_states):
        forget, out, candidate = cell.gates(kept[t])
        previous = tf.cond(t > 0, lambda: memories[t - 1], lambda: tf.zeros([batch, hidden]))
        squashed = tf.tanh(memories[t])
        d_state = upstream[t] + cell.read_gradient(outputs[t], d_read)
        d_mixed = _product(d_state, projection, transpose_b=True)
        d_memory += d_mixed * out * (1.0 - tf.square(squashed))
        at_gates = (
            d_memory * (previous - candidate),
            d_mixed * squashed,
            d_memory * (1.0 - forget),
        )
        d_z = cell.gates_gradient(kept[t], at_gates)
        arrays = d_gates.write(t, d_z), d_states.write(t, d_state)
        return t - 1, d_memory * forget, _product(d_z, recurrent, transpose_b=True), *arrays

    arrays = _array(length, 3 * hidden), _array(length, width)
    start = (length - 1, tf.zeros([batch, hidden]), tf.zeros([batch, width]), *arrays)
    final = tf.while_loop(lambda t, *_: t >= 0, step, start, maximum_iterations=length)
    return final[3].stack(), final[4].stack()


def _outer(
    trained: tf.Tensor | None, left: tf.Tensor, right: tf.Tensor, precision: tf.DType
) -> tf.Tensor:
    """Sum over steps and rows of left^T right, [T, B, m] and [T, B, n] -> [m, n]."""
    flat_left = tf.reshape(tf.cast(left, precision), [-1, left.shape[-1]])
    flat_right = tf.reshape(tf.cast(right, precision), [-1, right.shape[-1]])
    return outer_if(trained, flat_left, flat_right)
