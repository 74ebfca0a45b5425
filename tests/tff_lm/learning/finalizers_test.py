"""The server's step asks for the weights of a mean, not for its values."""

from tests.tff_lm.learning import fixtures  # isort: skip

from collections import OrderedDict

import numpy as np
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.finalizers import build_finalizer
from tff_lm.learning.options import AlgorithmOptions, LearningOptions
from tff_lm.learning.weights import VariableSpec

del fixtures  # ends TFF's worker

WEIGHTS = tff.learning.models.ModelWeights(
    (np.ones(2, np.float32), np.full(3, 2.0, np.float32)), ()
)
VARIABLES = (VariableSpec("first", (2,)), VariableSpec("second", (3,)))
TYPE = tff.to_type(
    tff.learning.models.ModelWeights(
        (tff.TensorType(np.float32, [2]), tff.TensorType(np.float32, [3])), ()
    )
)


def step(*aggregates):
    """(state, weights, measurements) after each aggregate, with FedAdam."""
    options = LearningOptions(
        AlgorithmOptions(server_optimizer="adam(epsilon=0.0000001)", server_learning_rate=0.1)
    )
    process = build_finalizer(FedAvg(options, VARIABLES), TYPE)
    state, weights, outputs = process.initialize(), WEIGHTS, []
    for mean, weight in aggregates:
        mean = tuple(np.array(value, np.float32) for value in mean)
        aggregate = OrderedDict(mean=mean, weight=np.array(weight, np.float32))
        output = process.next(state, weights, aggregate)
        state, weights = output.state, output.result
        outputs.append((state, weights, output.measurements))
    return outputs


class FinalizerTest(parameterized.TestCase):
    def test_a_mean_of_zeros_is_a_step_where_somebody_trained(self):
        """The moments of the first round move the variable on, and decay."""
        first, second = step(
            ([[1.0, 1.0], [1.0] * 3], [3.0, 3.0]), ([[0.0, 0.0], [0.0] * 3], [1.0, 0.0])
        )
        np.testing.assert_array_equal(second[0]["steps"], [2, 1])
        self.assertEqual(second[0]["round"], 2)
        self.assertEqual(second[2]["variables_updated"], 1)
        self.assertTrue(np.all(second[1].trainable[0] < first[1].trainable[0]))
        np.testing.assert_array_equal(second[1].trainable[1], first[1].trainable[1])
        for before, after in zip(first[0]["slots"][0], second[0]["slots"][0], strict=True):
            self.assertTrue(np.all(np.abs(after) < np.abs(before)))
        for before, after in zip(first[0]["slots"][1], second[0]["slots"][1], strict=True):
            np.testing.assert_array_equal(after, before)

    def test_a_round_of_nobody_is_no_step(self):
        ((state, weights, measured),) = step(([[0.0, 0.0], [0.0] * 3], [0.0, 0.0]))
        self.assertEqual((state["round"], measured["update_non_finite"]), (0, 0))
        np.testing.assert_array_equal(weights.trainable[1], WEIGHTS.trainable[1])

    @parameterized.parameters(np.nan, np.inf)
    def test_a_mean_that_left_the_range_is_rejected_as_a_whole(self, bad):
        ((state, weights, measured),) = step(([[1.0, bad], [1.0] * 3], [1.0, 1.0]))
        self.assertEqual((state["round"], measured["update_non_finite"]), (0, 1))
        np.testing.assert_array_equal(state["steps"], 0)
        for before, after in zip(WEIGHTS.trainable, weights.trainable, strict=True):
            np.testing.assert_array_equal(after, before)


if __name__ == "__main__":
    absltest.main()
