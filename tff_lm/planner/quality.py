"""How much of an update arrives: a proxy by which the planner sorts, and no more than that.

A codec is measured on one tensor of normal values. What depends on the range of the values (uniform
without rotation, TernGrad) does worse on a real update, whose largest values lie further out, and
worst with one range for a whole tensor; rotated codecs, DRIVE and EDEN do as well, since a rotation
makes any update look normal.
"""

from __future__ import annotations

import dataclasses
import functools

import tensorflow as tf

from compression import Codec

_SHAPE = [512, 512]
_VALUES_SEED, _NOISE_SEED = (2022, 1), (2022, 2)


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """What a codec C makes of a tensor x, in units of ||x||^2.

    Attributes:
      energy: ||C(x)||^2.
      bias: squared error that no averaging takes away: all of it, unless the codec is unbiased.
      noise: squared error that averages out.
    """

    energy: float
    bias: float
    noise: float

    def error(self, clients: int, policy: str = "full", fraction: float = 1.0) -> float:
        """The squared error of the mean of `clients` updates, relative to one update's square.

        Training a random subset is noise, too: the server divides by how many clients trained a
        variable, so a client stands for B C(x) / fraction, B being 1 where it trained, of squared
        error energy (1 / fraction - 1) against C(x). It averages out within a round if every client
        draws its own subset, and only over rounds otherwise. What a fixed subset freezes is lost.

        Args:
          clients: in a round's cohort.
          policy: of partial training.
          fraction: of the parameters, trained.
        """
        codec = self.bias + self.noise / clients
        if policy == "fixed":
            return (1.0 - fraction) + fraction * codec
        subsets = clients if policy == "per_client_per_round" else 1
        return codec + self.energy * (1.0 / fraction - 1.0) / subsets


@functools.cache
def fidelity(codec: Codec) -> Fidelity:
    """Encodes and decodes normal values once."""
    values = tf.random.stateless_normal(_SHAPE, _VALUES_SEED)
    seed = tf.constant(_NOISE_SEED)
    decoded = codec.decode(codec.encode(values, seed), _SHAPE, seed)
    norm = tf.nn.l2_loss(values)
    error = float(tf.nn.l2_loss(decoded - values) / norm)
    return Fidelity(
        energy=float(tf.nn.l2_loss(decoded) / norm),
        bias=0.0 if codec.is_unbiased else error,
        noise=error if codec.is_unbiased else 0.0,
    )
