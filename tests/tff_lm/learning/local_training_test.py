"""What a frozen variable saves, by the operations that really run in a client's training."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import collections
import functools
import re

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.learning import gradient_hooks, local_training, partial
from tff_lm.learning.local_optimizers import FreshState
from tff_lm.learning.optimizers.sgd import Sgd
from tff_lm.learning.options import LearningOptions, PartialOptions
from tff_lm.models import MODELS, build_model

TINY = [name for name in MODELS if name.endswith("_tiny")]
_SEED = (3, 7)
_STEPS = 2


@functools.cache
def _client_model(name, policy, fraction, precision="float32", order="random"):
    options = PartialOptions(policy, fraction, min_size=200, order=order)
    model_fn = functools.partial(build_model, name, fixtures.VOCABULARY, precision=precision)
    return partial.build_client_model(model_fn, tuple(fixtures.STARTS_WORD), options)


def _graph_of_training(client_model):
    """The graph of a client's training on `_STEPS` batches, as TFF traces it, and its results."""
    batches = fixtures.random_batches(_SEED[0], _STEPS)
    with tf.Graph().as_default() as graph:
        local, bind = client_model.build_local()
        rng = np.random.default_rng(0)
        weights = client_model.partition.split(
            [0.2 * rng.normal(size=s).astype("f") for s in client_model.partition.shapes]
        )
        optimizer = FreshState(Sgd(), local.names, local.variables)
        data = fixtures.dataset(batches)

        @tf.function(autograph=False)
        def run():
            bind(weights)
            result = local_training.train(
                local,
                data,
                LearningOptions(),
                optimizer,
                tf.constant(0.1),
                gradient_hooks.compose([]),
                client_model.mask_fn(tf.constant(0)),
            )
            return result, [variable.read_value() for variable in local.variables]

        return graph, run()


def _count(op_types):
    """Products of matrices (batched ones, which are attention's, left out) and updates."""
    products = [t for t in op_types if "MatMul" in t and "Batch" not in t]
    return collections.Counter(
        products=len(products), updates=op_types.count("ResourceApplyGradientDescent")
    )


@functools.cache
def _executed(client_model):
    """How many of them run, over all steps."""
    graph, results = _graph_of_training(client_model)
    trace = tf.compat.v1.RunMetadata()
    full = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
    with tf.compat.v1.Session(graph=graph) as session:
        session.run(results, options=full, run_metadata=trace)
    labels = [
        re.search(r" = (\w+)\(", node.timeline_label)
        for device in trace.step_stats.dev_stats
        for node in device.node_stats
    ]
    return _count([label.group(1) for label in labels if label])


def _traced(client_model):
    """How many of them are in the graph, the functions that it calls included."""
    graph, _ = _graph_of_training(client_model)
    graph_def = graph.as_graph_def()
    functions = [node for function in graph_def.library.function for node in function.node_def]
    return _count([node.op for node in [*graph_def.node, *functions]])


def _frozen_matrices(client_model):
    """Names of those that the client of `_SEED` does not train in round 0."""
    mask = partial.trained_mask(client_model, 0, _SEED)
    freezable = client_model.model_fn().freezable
    return [
        name
        for name, trained in zip(client_model.partition.names, mask, strict=True)
        if not trained and name in freezable
    ]


class FrozenTest(parameterized.TestCase):
    @parameterized.product(
        name=TINY, policy=("fixed", "per_client_per_round"), precision=("float32", "bfloat16")
    )
    def test_weight_gradients_of_frozen_matrices_are_not_computed(self, name, policy, precision):
        full = _executed(_client_model(name, "full", 1.0, precision))
        model = _client_model(name, policy, 0.5, precision)
        frozen = _frozen_matrices(model)
        self.assertNotEmpty(frozen)
        executed = _executed(model)
        saved = full["products"] - executed["products"]
        if policy == "fixed":
            # The input's gradient is not needed, either, where nothing trains below.
            self.assertGreaterEqual(saved, _STEPS * len(frozen))
        else:
            self.assertEqual(saved, _STEPS * len(frozen))
        self.assertEqual(executed["updates"], full["updates"] - _STEPS * len(frozen))

    @parameterized.parameters(*TINY)
    def test_masks_that_train_everything_compute_what_full_training_does(self, name):
        masked = _executed(_client_model(name, "per_client_per_round", 1.0))
        self.assertEqual(masked, _executed(_client_model(name, "full", 1.0)))
        self.assertGreater(masked["products"], 0)

    @parameterized.parameters(
        # Two products of each matrix below the lowest that trains, the weight gradient of the
        # embedding, and that lowest one's gradient at its input.
        ("transformer_tiny", 2 * 4 + 1 + 1),  # frozen: block 0; trained: block 1
        ("conformer_tiny", 2 * 4 + 1 + 1),  # frozen: feed-forward and attention
        ("lstm_tiny", 2 * 1 + 1),  # frozen: the input's kernel; the recurrence trains
    )
    def test_nothing_runs_backward_below_the_lowest_trained_layer(self, name, saved):
        full = _executed(_client_model(name, "full", 1.0))
        model = _client_model(name, "fixed", 0.5, order="bottom_up")
        self.assertEqual(full["products"] - _executed(model)["products"], _STEPS * saved)

    @parameterized.parameters("transformer_tiny", "conformer_tiny")
    def test_a_fixed_subset_has_no_gradients_of_frozen_matrices_in_its_graph(self, name):
        """Where gradients are TensorFlow's own; the LSTM's are one function, which is pruned."""
        full = _traced(_client_model(name, "full", 1.0))
        model = _client_model(name, "fixed", 0.5)
        frozen = len(_frozen_matrices(model))
        self.assertGreater(frozen, 1)
        traced = _traced(model)
        self.assertLessEqual(traced["products"], full["products"] - frozen)
        self.assertEqual(traced["updates"], len(model.partition.trained))

    @parameterized.parameters(*TINY)
    def test_masks_that_train_everything_give_the_weights_of_full_training(self, name):
        results = []
        for policy in ("full", "fixed", "per_client_per_round"):
            graph, (_, weights) = _graph_of_training(_client_model(name, policy, 1.0))
            with tf.compat.v1.Session(graph=graph) as session:
                results.append(session.run(weights))
        self.assertTrue(np.isfinite(np.concatenate(list(map(np.ravel, results[0])))).all())
        for full, fixed, masked in zip(*results, strict=True):
            np.testing.assert_array_equal(full, fixed)
            np.testing.assert_array_equal(full, masked)


if __name__ == "__main__":
    absltest.main()
