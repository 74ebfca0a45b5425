"""Partial variable training: which variables are trained, by whom, and when.

Yang et al. 2021, "Partial Variable Training for Efficient On-Device Federated Learning" (arXiv
2110.05607), section 3: candidates are the large matrices, everything else always trains, and of the
candidates so many train that a given fraction of all parameters does. The policies:

  full                  every variable, everywhere.
  fixed                 one subset for the whole run; the others are frozen (`Partition.frozen`).
  per_round             the server draws a subset each round, the same for all clients.
  per_client_per_round  every client draws its own each round.
  rolling               a window over the candidates in the model's order, moved on by one candidate
                        each round, the same for all clients (after FedRolex, Alam et al. 2022,
                        arXiv 2212.01548, which rolls over the units of a layer; here over the
                        layers).

A subset is a function of (run seed, round) or of the client's seed, so naming it costs no upload.

What a frozen matrix saves is its own weight gradient, a third of its products, since whatever lies
below it still trains. Only the policy `fixed` can save more, if it freezes in the order

  random     any matrices.
  bottom_up  the lowest ones, the tied embedding first, and with them the biases and norms below the
             lowest matrix that trains. The backward pass ends there: what is below it runs forward
             alone. This departs from the paper, where biases and norms always train.
"""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tff_lm.learning import freezing
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.registry import ORDERS, POLICIES
from tff_lm.learning.weights import ModelFn, Partition, full_partition

_MASK_STREAM = 0x3A5C


@dataclasses.dataclass(frozen=True)
class Candidates:
    """The variables of which some are frozen.

    Attributes:
      indices: Into the partition's variables, ascending.
      sizes: Elements of each.
      budget: Elements of them that should train.
      count: Number of all variables.
      matrices: Ascending indices of all large matrices, also of those that may not be frozen.
    """

    indices: tuple[int, ...]
    sizes: tuple[int, ...]
    budget: float
    count: int
    matrices: tuple[int, ...]


def find_candidates(partition: Partition, options: PartialOptions) -> Candidates:
    """The matrices that match, and how many of their elements train.

    Raises:
      ValueError: If nothing matches, or if the other variables alone exceed the fraction.
    """
    sizes = [int(np.prod(shape)) for shape in partition.shapes]
    matrices = tuple(
        i
        for i, (shape, size) in enumerate(zip(partition.shapes, sizes, strict=True))
        if len(shape) >= 2 and size >= options.min_size
    )
    indices = tuple(i for i in matrices if re.search(options.include, partition.names[i]))
    if not indices:
        raise ValueError(
            f"partial: no matrix of at least {options.min_size} elements matches "
            f"{options.include!r}; the variables are {', '.join(partition.names)}"
        )
    candidate_sizes = tuple(sizes[i] for i in indices)
    always = sum(sizes) - sum(candidate_sizes)
    budget = options.fraction * sum(sizes) - always
    if budget < -max(candidate_sizes):
        raise ValueError(
            f"partial: the variables that always train are {always / sum(sizes):.1%} of the "
            f"parameters, more than the fraction {options.fraction:.1%}; widen partial.include"
        )
    return Candidates(indices, candidate_sizes, budget, len(sizes), matrices)


def select(candidates: Candidates, order: tf.Tensor) -> tf.Tensor:
    """bool[count]: the first candidates in `order` that fill the budget, and all other variables.

    Args:
      candidates: See `find_candidates`.
      order: int32[number of candidates], a permutation.
    """
    sizes = tf.gather(tf.constant(candidates.sizes, tf.int64), order)
    middle = 2 * tf.cumsum(sizes, exclusive=True) + sizes
    is_chosen = tf.cast(middle, tf.float64) < 2.0 * candidates.budget
    positions = tf.gather(tf.constant(candidates.indices, tf.int32), order)
    frozen = tf.scatter_nd(
        positions[:, tf.newaxis], tf.cast(tf.logical_not(is_chosen), tf.int32), [candidates.count]
    )
    return tf.equal(frozen, 0)


def _shuffled(candidates: Candidates, seed: tf.Tensor) -> tf.Tensor:
    """int32[number of candidates], a permutation drawn from int32[2] `seed`."""
    keys = tf.random.stateless_uniform(
        [len(candidates.indices)], seed, minval=None, maxval=None, dtype=tf.int32
    )
    return tf.argsort(keys, stable=True)


def _round_seed(run_seed: int, round_number: tf.Tensor) -> tf.Tensor:
    run = tf.constant([run_seed & 0x7FFFFFFF, _MASK_STREAM], tf.int32)
    return tf.random.experimental.stateless_fold_in(run, round_number)


@ORDERS.register("random")
def _at_random(candidates: Candidates, run_seed: int) -> np.ndarray:
    return select(candidates, _shuffled(candidates, _round_seed(run_seed, tf.constant(0)))).numpy()


@ORDERS.register("bottom_up")
def _bottom_up(candidates: Candidates, run_seed: int) -> np.ndarray:
    del run_seed
    # Variables come in the order of the layers, from the bottom.
    from_the_top = range(len(candidates.indices))[::-1]
    mask = select(candidates, tf.constant(list(from_the_top))).numpy()
    trained_matrices = [i for i in candidates.matrices if mask[i]]
    if trained_matrices:
        mask[: trained_matrices[0]] = False
    return mask


@POLICIES.register("full")
def _full(whole: ClientModel, options: PartialOptions, run_seed: int) -> ClientModel:
    del options, run_seed
    return whole


@POLICIES.register("fixed")
def _fixed(whole: ClientModel, options: PartialOptions, run_seed: int) -> ClientModel:
    mask = ORDERS[options.order](_candidates_of(whole, options), run_seed)
    trained = tuple(whole.partition.trained[i] for i in np.flatnonzero(mask))
    partition = dataclasses.replace(whole.partition, trained=trained)
    return dataclasses.replace(whole, partition=partition)


@POLICIES.register("per_round")
def _per_round(whole: ClientModel, options: PartialOptions, run_seed: int) -> ClientModel:
    candidates = _candidates_of(whole, options)

    def mask(round_number, client_seed):
        del client_seed
        return select(candidates, _shuffled(candidates, _round_seed(run_seed, round_number)))

    return dataclasses.replace(whole, mask_policy=mask)


@POLICIES.register("per_client_per_round")
def _per_client_per_round(
    whole: ClientModel, options: PartialOptions, run_seed: int
) -> ClientModel:
    del run_seed  # the client's seed depends on it
    candidates = _candidates_of(whole, options)

    def mask(round_number, client_seed):
        del round_number
        seed = tf.random.experimental.stateless_fold_in(client_seed, _MASK_STREAM)
        return select(candidates, _shuffled(candidates, seed))

    return dataclasses.replace(whole, mask_policy=mask)


@POLICIES.register("rolling")
def _rolling(whole: ClientModel, options: PartialOptions, run_seed: int) -> ClientModel:
    del run_seed
    candidates = _candidates_of(whole, options)
    count = len(candidates.indices)

    def mask(round_number, client_seed):
        del client_seed
        return select(candidates, tf.math.floormod(tf.range(count) + round_number, count))

    return dataclasses.replace(whole, mask_policy=mask)


def _candidates_of(whole: ClientModel, options: PartialOptions) -> Candidates:
    return find_candidates(freezing.trained_part(whole.partition), options)


def build_client_model(
    model_fn: ModelFn,
    starts_word: Sequence[bool],
    options: PartialOptions | None = None,
    seed: int = 0,
    is_frozen: freezing.IsFrozen = freezing.nothing,
) -> ClientModel:
    """The model with the variables that clients train.

    Args:
      model_fn: Makes the model.
      starts_word: bool[V].
      options: The policy; by default everything trains.
      seed: The run's seed.
      is_frozen: Which variables are frozen whatever the policy; it chooses among the others, and
        its fraction is of their parameters.

    Raises:
      ValueError: If the options do not fit the model.
    """
    partition = freezing.freeze(full_partition(model_fn), is_frozen)
    whole = ClientModel(model_fn, partition, starts_word)
    options = options or PartialOptions()
    chosen: ClientModel = POLICIES[options.policy](whole, options, seed)
    return chosen


def trained_mask(
    client_model: ClientModel, round_number: int, client_seed: Sequence[int]
) -> np.ndarray:
    """bool[number of all variables]: what a client trains in a round, computed as it does itself.

    Args:
      client_model: From `build_client_model`.
      round_number: From 0.
      client_seed: int32[2], the `seed` of the client's batches in that round.
    """
    partition = client_model.partition
    mask = np.isin(np.arange(len(partition.names)), partition.trained)
    if client_model.mask_policy is not None:
        drawn = client_model.mask_policy(
            tf.constant(round_number, tf.int32), tf.constant(client_seed, tf.int32)
        )
        mask[list(partition.trained)] &= drawn.numpy()
    return mask
