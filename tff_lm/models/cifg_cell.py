"""The nonlinear functions of a CIFG-LSTM's step, each with its gradient, apart from its products.

`cifg_layer.cifg_recurrence` writes backpropagation out, so a cell gives both directions. All arrays
are float32, with B rows and h units; the parts of z are in the order forget, output, candidate.
"""

from typing import Protocol

import tensorflow as tf

Gates = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


class Cell(Protocol):
    """How pre-activations become gates, and how a state is read by the next step."""

    def keep(self, z: tf.Tensor) -> tf.Tensor:
        """[B, 3h] pre-activations -> [B, 3h], what the other functions need of them."""

    def gates(self, kept: tf.Tensor) -> Gates:
        """Forget gate, output gate and candidate, [B, h] each."""

    def gates_gradient(self, kept: tf.Tensor, upstream: Gates) -> tf.Tensor:
        """The gradient at z, [B, 3h], from those at the gates."""

    def read(self, state: tf.Tensor) -> tf.Tensor:
        """The state, [..., d], as the recurrent product takes it."""

    def read_gradient(self, state: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        """The gradient at the state, [B, d], from that at what was read."""


class SigmoidCell:
    """f = sigmoid(z_f), o = sigmoid(z_o), g = tanh(z_g); the state is read as it is."""

    def keep(self, z: tf.Tensor) -> tf.Tensor:
        # The gates themselves: their derivatives are polynomials in them.
        hidden = z.shape[1] // 3
        return tf.concat([tf.sigmoid(z[:, : 2 * hidden]), tf.tanh(z[:, 2 * hidden :])], axis=1)

    def gates(self, kept: tf.Tensor) -> Gates:
        return tuple(tf.split(kept, 3, axis=1))

    def gates_gradient(self, kept: tf.Tensor, upstream: Gates) -> tf.Tensor:
        forget, out, candidate = self.gates(kept)
        d_forget, d_out, d_candidate = upstream
        return tf.concat(
            [
                d_forget * forget * (1.0 - forget),
                d_out * out * (1.0 - out),
                d_candidate * (1.0 - tf.square(candidate)),
            ],
            axis=1,
        )

    def read(self, state: tf.Tensor) -> tf.Tensor:
        return state

    def read_gradient(self, state: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        del state
        return upstream
