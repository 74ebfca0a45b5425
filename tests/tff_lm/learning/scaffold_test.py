"""SCAFFOLD, option II, against its equations in NumPy, with what clients keep passed by hand."""

from tests.tff_lm.learning import fixtures  # isort: skip

from collections import OrderedDict

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tff_lm.learning.options import PartialOptions, ScheduleOptions
from tff_lm.learning.partial import build_client_model, trained_mask

_POPULATION = 5
_RATE = 0.2


class _Reference:
    """Algorithm 1 of Karimireddy et al. 2020 for clients of whole texts, in their notation."""

    def __init__(self, x, rates):
        self.x, self.rates = x, rates
        self.c = [np.zeros_like(w) for w in x]
        self.c_i: dict[int, list[np.ndarray]] = {}

    def round(self, clients, masks=None):
        """A round of the cohort S; `masks` says for each client which variables it trains."""
        changes, differences, tokens = [], [], []
        masks = masks or {client: np.ones(len(self.x), bool) for client in clients}
        for client in clients:
            own = self.c_i.get(client, [np.zeros_like(w) for w in self.x])
            y, text = self.x, fixtures.random_batches(client)
            for rate, batch in zip(self.rates, text, strict=True):
                terms = zip(
                    y, fixtures.gradients(y, batch), own, self.c, masks[client], strict=True
                )
                y = [w - rate * (g - c_i + c) * m for w, g, c_i, c, m in terms]
            change = [w0 - w for w0, w in zip(self.x, y, strict=True)]
            difference = [
                (d / sum(self.rates) - c) * m
                for d, c, m in zip(change, self.c, masks[client], strict=True)
            ]
            self.c_i[client] = [c_i + d for c_i, d in zip(own, difference, strict=True)]
            changes.append(change)
            differences.append(difference)
            tokens.append(sum(np.count_nonzero(batch["y"]) for batch in text))
        for i in range(len(self.x)):
            weights = np.array(tokens) * [masks[client][i] for client in clients]
            if weights.sum():
                self.x[i] = self.x[i] - np.average(
                    [change[i] for change in changes], axis=0, weights=weights
                )
            self.c[i] = self.c[i] + sum(d[i] for d in differences) / _POPULATION


def _data(client, kept):
    states = tf.data.Dataset.from_tensors(tuple(c_i.astype(np.float32) for c_i in kept))
    return OrderedDict(batches=fixtures.cohort(client)[0], kept=states)


class ScaffoldTest(absltest.TestCase):
    def _run(self, rounds, model=None, learning=None, rates=(_RATE,) * 3, masks=None):
        """Rounds of our process and of the reference, whose c_i are handed to the process."""
        process = fixtures.process(
            model,
            name="scaffold",
            client_learning_rate=_RATE,
            learning={"population": _POPULATION, **(learning or {})},
        )
        state = process.initialize()
        reference = _Reference(fixtures.trainable(process, state), rates)
        zeros = [np.zeros_like(w) for w in reference.x]
        for number, clients in enumerate(rounds):
            data = [_data(client, reference.c_i.get(client, zeros)) for client in clients]
            reference.round(clients, masks and masks(number, clients))
            output = process.next(state, data)
            state = output.state
            self.assertEqual(output.metrics["client_work"]["kept"], len(clients))
            self._assert_close(fixtures.trainable(process, state), reference.x)
            self._assert_close(state.client_work["coded"], reference.c)

    def _assert_close(self, actual, expected):
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_allclose(np.asarray(a), b, rtol=2e-3, atol=2e-5)

    def test_four_rounds_by_hand(self):
        """Clients come back: the second time their variates are not zero."""
        self._run([(1, 2), (3, 1), (2, 3), (1, 2, 3)])

    def test_local_schedule_divides_by_the_sum_of_the_rates(self):
        decay = ScheduleOptions("linear", decay=4)
        rates = tuple(_RATE * (1 - step / 4) for step in range(3))
        self._run([(1, 2), (1, 2)], learning={"local_schedule": decay}, rates=rates)

    def test_variates_of_untrained_variables_stay(self):
        options = PartialOptions("per_client_per_round", 0.5, min_size=1)
        model = build_client_model(fixtures.TinyModel, fixtures.STARTS_WORD, options)

        def masks(number, clients):
            return {client: trained_mask(model, number, [client, 7]) for client in clients}

        self.assertFalse(np.all(list(masks(0, (1, 2)).values())))
        self._run([(1, 2), (2, 3), (1, 3)], model=model, masks=masks)

    def test_a_mean_that_leaves_the_range_leaves_the_variate(self):
        process = fixtures.process(
            name="scaffold",
            learning={"population": _POPULATION},
            parts={"shared_aggregator": fixtures.overflowing()},
        )
        cohort = fixtures.with_states(process, fixtures.cohort(1, 2))
        ((state, metrics),) = fixtures.run(process, [cohort])
        self.assertEqual(metrics["client_work"]["shared_non_finite"], 1)
        for c in state.client_work["coded"]:
            np.testing.assert_array_equal(c, 0.0)

    def test_an_optimizer_with_state_is_refused(self):
        with self.assertRaisesRegex(ValueError, "use 'mime'"):
            fixtures.process(name="scaffold", client_optimizer="adam")


if __name__ == "__main__":
    absltest.main()
