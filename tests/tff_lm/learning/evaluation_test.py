"""Measurements at clients: what they are given, and what comes back."""

from tests.tff_lm.learning import fixtures  # isort: skip

import functools
import pathlib
from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm import expressions, registry
from tff_lm.evaluations.adapted import Adapted
from tff_lm.evaluations.registry import EVALUATIONS
from tff_lm.learning import evaluation, scoring
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.weights import full_partition

_RATE = 0.3
_OUTSIDE = '''
"""Counts the sentences of the last quarter of each client."""

import dataclasses

import tensorflow as tf

from tff_lm.evaluations.registry import EVALUATIONS
from tff_lm.learning import metrics
from tff_lm.learning.evaluation import Measurement, Part, score_all


@EVALUATIONS.register("scaled_nats")
@dataclasses.dataclass(frozen=True)
class ScaledNats(Measurement):
    factor: float = 1.0

    @property
    def parts(self):
        return (Part(0.75, 1.0),)

    def rows(self, client, parts):
        return {"": self.factor * score_all(client.local, parts[0])}
'''


def _part(index, spec):
    """The batches of a client's part, by its number: of "4" three to adapt on and one to measure.

    "1" has none to adapt on, "3" none to measure, "0" nothing at all.
    """
    number = tf.strings.to_number(spec, tf.int32)
    count = tf.maximum(number - 1, 0) if index == 0 else number % 3

    def batch(position):
        seed = tf.stack([10 * number + index, tf.cast(position, tf.int32)])
        words = tf.random.stateless_uniform([2, 3], seed, 3, fixtures.VOCABULARY, tf.int32)
        x = tf.pad(words, [[0, 0], [1, 0]], constant_values=1)
        y = tf.pad(words, [[0, 0], [0, 1]], constant_values=2)
        return OrderedDict(x=x, y=y, seed=tf.stack([number, 7]))

    return tf.data.Dataset.range(tf.cast(count, tf.int64)).map(batch)


_FIRST, _REST = (functools.partial(_part, index) for index in (0, 1))


def _state():
    """A server state that is nothing but the model."""
    partition = full_partition(fixtures.TinyModel)
    weights = [variable.numpy() for variable in fixtures.TinyModel().trainable_variables]
    state_type = tff.StructType([("global_model_weights", partition.weights_type())])
    return OrderedDict(global_model_weights=partition.split(weights)), state_type


_OWN = evaluation.OwnTraining(_RATE)


def _rows(measurement, part_fns, specs, training=_OWN):
    state, state_type = _state()
    evaluate = evaluation.build_evaluation(
        measurement,
        fixtures.TinyModel,
        full_partition(fixtures.TinyModel),
        fixtures.STARTS_WORD,
        part_fns,
        state_type,
        training,
    )
    return [np.asarray(rows) for rows in evaluate(state, specs)]


def _score(model, batches):
    rows = [scoring.score_batch(model, each, fixtures.STARTS_WORD).row for each in batches]
    return np.sum(rows, axis=0)


def _trained(batches, rate):
    """The tiny model after a step of SGD a batch, by the definition."""
    model = fixtures.TinyModel()
    for batch in batches:
        _, gradients = scoring.score_and_gradients(
            model, model.trainable_variables, batch, fixtures.STARTS_WORD
        )
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(rate * gradient)
    return model


class AdaptedTest(parameterized.TestCase):
    def test_trains_on_the_first_part_and_measures_the_rest_before_and_after(self):
        adapted, before = _rows(Adapted(), [_FIRST, _REST], ["4", "2"])
        for index, spec in enumerate(("4", "2")):
            first, rest = list(_FIRST(tf.constant(spec))), list(_REST(tf.constant(spec)))
            model = _trained(first, _RATE)
            np.testing.assert_allclose(adapted[index], _score(model, rest), rtol=1e-5)
            np.testing.assert_allclose(before[index], _score(fixtures.TinyModel(), rest), rtol=1e-5)
        self.assertGreater(np.abs(adapted[:, 0] - before[:, 0]).min(), 0.1)

    def test_its_own_arguments_go_before_those_of_the_clients(self):
        measurement = Adapted(learning_rate=0.05, epochs=3)
        own = evaluation.OwnTraining(_RATE, LearningOptions(local_epochs=2, local_steps=4))
        ((row,), _) = _rows(measurement, [_FIRST, _REST], ["4"], own)
        first, rest = list(_FIRST(tf.constant("4"))), list(_REST(tf.constant("4")))
        # Three passes over three batches, of which four steps are taken.
        expected = _score(_trained([*first, first[0]], 0.05), rest)
        np.testing.assert_allclose(row, expected, rtol=1e-5)

    def test_a_client_without_a_part(self):
        adapted, before = _rows(Adapted(), [_FIRST, _REST], ["1", "3", "0"])
        np.testing.assert_array_equal(adapted[0], before[0])
        self.assertGreater(adapted[0, 0], 0.0)
        np.testing.assert_array_equal([adapted[1:], before[1:]], 0.0)

    def test_every_client_begins_with_the_global_model(self):
        once, _ = _rows(Adapted(), [_FIRST, _REST], ["4"])
        twice, _ = _rows(Adapted(), [_FIRST, _REST], ["2", "4", "4"])
        np.testing.assert_array_equal(twice[1:], [once[0], once[0]])

    def test_the_parts_are_all_sentences(self):
        first, rest = Adapted(fraction=0.25).parts
        self.assertEqual((first.first, first.end, first.as_trained), (0.0, 0.25, True))
        self.assertEqual((rest.first, rest.end, rest.as_trained), (0.25, 1.0, False))

    @parameterized.parameters({"fraction": 0.0}, {"fraction": 1.0}, {"learning_rate": -1.0})
    def test_arguments_are_checked(self, **arguments):
        with self.assertRaisesRegex(
            ValueError, "adapted: (fraction|learning_rate) = .* (is not above 0|must be at least 0)"
        ):
            Adapted(**arguments)


class OutsideTest(absltest.TestCase):
    def test_an_evaluation_of_the_user_is_one_file(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "mine.py"
        path.write_text(_OUTSIDE)
        registry.load_extensions(str(path))
        measurement = expressions.build("scaled_nats(factor=2.0)", EVALUATIONS)
        ((row,),) = _rows(measurement, [_REST], ["2"])
        expected = 2.0 * _score(fixtures.TinyModel(), _REST(tf.constant("2")))
        np.testing.assert_allclose(row, expected, rtol=1e-5)

    def test_rows_that_are_no_measure_are_refused(self):
        class Wrong(evaluation.Measurement):
            def rows(self, client, parts):
                return {"other": evaluation.score_all(client.local, parts[0])}

        with self.assertRaisesRegex(ValueError, r"gave rows for \['other'\]"):
            _rows(Wrong(), [_REST], ["2"])


if __name__ == "__main__":
    absltest.main()
