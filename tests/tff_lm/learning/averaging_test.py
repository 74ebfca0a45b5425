"""Averages of models against NumPy; the models themselves are those without one."""

from tests.tff_lm.learning import fixtures  # isort: skip

from collections import OrderedDict

import numpy as np
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.averaging import build_average, evaluated_weights, with_average
from tff_lm.learning.finalizers import build_finalizer
from tff_lm.learning.options import AlgorithmOptions, LearningOptions
from tff_lm.learning.weights import VariableSpec

del fixtures  # ends TFF's worker

_VARIABLES = (VariableSpec("first", (2,)), VariableSpec("second", (3,)))
_TYPE = tff.to_type(
    tff.learning.models.ModelWeights(
        (tff.TensorType(np.float32, [2]), tff.TensorType(np.float32, [3])),
        (tff.TensorType(np.float32, [1]),),
    )
)
# Of the two variables: nobody trains in the fourth round, one stands still in the second.
_WEIGHTS = ((1.0, 1.0), (0.0, 2.0), (1.0, 1.0), (0.0, 0.0), (3.0, 1.0), (1.0, 1.0))


@tff.tensorflow.computation
def _initial():
    return tff.learning.models.ModelWeights(
        (np.float32([1.0, 2.0]), np.float32([3.0, 4.0, 5.0])), (np.float32([6.0]),)
    )


def _rounds(average):
    """(averages before and after the rounds, models likewise) of random means."""
    options = LearningOptions(AlgorithmOptions(name="fed_avg", server_optimizer="momentum"))
    process = build_finalizer(FedAvg(options, _VARIABLES), _TYPE)
    if average:
        process = with_average(process, build_average(average), _initial)
    state, weights = process.initialize(), _initial()
    averages, models, rng = [], [], np.random.default_rng(0)
    for weight in (None, *_WEIGHTS):
        if weight is not None:
            mean = tuple(
                np.where(w, rng.normal(size=spec.shape), 0.0).astype(np.float32)
                for w, spec in zip(weight, _VARIABLES, strict=True)
            )
            aggregate = OrderedDict(mean=mean, weight=np.float32(weight))
            output = process.next(state, weights, aggregate)
            state, weights = output.state, output.result
        models.append(np.concatenate(list(weights.trainable)))
        if average:
            averages.append(np.concatenate(list(state["averaging"]["weights"])))
    return averages, models


def _of_models(models, shares):
    """The average after each round; `shares(n)` are those of the last n models, latest first."""
    counted, expected = [], [models[0]]
    for number, model in enumerate(models[1:]):
        if any(_WEIGHTS[number]):
            counted.append(model)
        share = np.array(shares(len(counted)))
        latest = np.array(counted[::-1][: len(share)])
        expected.append(share @ latest / share.sum())
    return expected


class AveragingTest(parameterized.TestCase):
    @parameterized.parameters(
        ("ema(decay=0.75)", lambda n: [0.75**age for age in range(n)]),
        ("ema(decay=0.0)", lambda n: [1.0]),
        ("lawa(rounds=3)", lambda n: [1.0] * min(n, 3)),
        ("lawa(rounds=1)", lambda n: [1.0]),
    )
    def test_it_is_the_average_and_training_goes_on_without_it(self, text, shares):
        averages, models = _rounds(text)
        _, alone = _rounds("")
        np.testing.assert_array_equal(models, alone)
        self.assertFalse(np.array_equal(models[-1], models[-2]))
        np.testing.assert_allclose(averages, _of_models(models, shares), rtol=1e-5, atol=1e-6)

    @parameterized.parameters(
        ("ema(decay=1)", "decay = 1.0 must lie in"),
        ("lawa(rounds=0)", "rounds = 0 must be at least 1"),
        ("emma", "unknown average 'emma'; did you mean 'ema'"),
    )
    def test_bad_arguments(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            build_average(text)

    def test_the_average_is_what_is_evaluated(self):
        model = _initial()
        average = tuple(-2.0 * value for value in model.trainable)
        averaging = OrderedDict(averaging=OrderedDict(weights=average))
        for finalizer, expected in ((averaging, average), (OrderedDict(round=1), model.trainable)):
            state = OrderedDict(global_model_weights=model, finalizer=finalizer)
            finalizer_type = tff.to_type(
                OrderedDict(averaging=OrderedDict(weights=_TYPE.trainable))
                if finalizer is averaging
                else OrderedDict(round=np.int32)
            )
            state_type = tff.to_type(
                OrderedDict(global_model_weights=_TYPE, finalizer=finalizer_type)
            )
            evaluated = tff.federated_computation(
                evaluated_weights, tff.FederatedType(state_type, tff.SERVER)
            )(state)
            for ours, theirs in zip(evaluated.trainable, expected, strict=True):
                np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_array_equal(evaluated.non_trainable[0], [6.0])


if __name__ == "__main__":
    absltest.main()
