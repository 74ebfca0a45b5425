"""From `evaluation.names` to what the training program calls, on stored sentences."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import types

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests import stock_tff  # noqa: F401  (ends TFF's worker)
from tests.tasks import fixtures
from tff_lm.client_order import ClientOrder
from tff_lm.config import ConfigError, default_config
from tff_lm.experiment import evaluations


def _count_sentences(measurement, part_fns):
    """For each measure a row a client: the sentences in each part."""

    def rows(orders):
        counts = [
            [sum(len(batch["x"]) for batch in part_fn(tf.constant(text))) for part_fn in part_fns]
            for text in [order.encode() for order in orders]
        ]
        return [np.array(counts)] * len(measurement.measures)

    return rows


class EvaluationsTest(parameterized.TestCase):
    def build(self, names, unseen=""):
        config = default_config()
        config.task.unseen = unseen
        config.evaluation.names = names
        config.federated.examples_per_client = 4
        path = fixtures.write_store(
            self.create_tempdir().full_path,
            {"a": fixtures.numbered_sentences([3] * 11), "b": [[5]]},
            split="validation",
        )
        task = types.SimpleNamespace(data_path=path)
        found = types.SimpleNamespace(config=config, task=task)
        return evaluations.build(found, _count_sentences)

    def test_each_part_has_its_sentences(self):
        validation, adapted = self.build("adapted(fraction=0.5), validation")
        self.assertEqual(validation.measures, ("validation",))
        self.assertEqual(adapted.measures, ("adapted", "adapted_before"))
        self.assertEqual(
            adapted.division,
            "trained on those from 0 to 0.5 of a client's sentences, "
            "measured on those from 0.5 to 1 of a client's sentences",
        )
        orders = [ClientOrder(0, 0, client) for client in "ab"]
        (rows,) = validation.rows("validation", orders)
        np.testing.assert_array_equal(rows, [[11], [1]])
        # Training takes at most four of the five sentences of the first part.
        rows, _ = adapted.rows("validation", orders)
        np.testing.assert_array_equal(rows, [[4, 6], [0, 1]])
        rows, _ = adapted.rows("test", orders)
        np.testing.assert_array_equal(rows, 0)

    def test_text_from_elsewhere_is_measured_without_being_asked_for(self):
        for names in ("validation", "validation, unseen"):
            validation, unseen = self.build(names, unseen="somewhere")
            self.assertEqual(unseen.measures, ("unseen",))
            self.assertEqual((unseen.split, unseen.final_split), ("unseen", "unseen"))
            self.assertEqual((validation.split, validation.final_split), ("validation", "test"))
            (rows,) = unseen.rows("unseen", [ClientOrder(0, 0, "a")])
            np.testing.assert_array_equal(rows, [[0]])

    @parameterized.parameters(
        ("validation, adapted(fractoin=0.5)", "did you mean 'fraction'"),
        ("validation, adapted(fraction=1.5)", "not above 0 and below 1"),
        ("validation, adapted, validation(name='x')", "no argument 'name'"),
        ("validation, unseen", "unseen needs task.unseen"),
        ("validation, adapted, adapted(name='adapted_before')", "two evaluations measure adapted_"),
    )
    def test_refuses(self, names, message):
        with self.assertRaisesRegex(ConfigError, f"^evaluation.names: .*{message}"):
            self.build(names)


if __name__ == "__main__":
    absltest.main()
