"""Behaviour of learning processes that no reference covers: odd clients, options, data, types."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import functools
from collections import OrderedDict

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow_federated.python.core.backends.native import mergeable_comp_compiler

from tff_lm.evaluations.global_model import GlobalModel
from tff_lm.learning import evaluation, metrics
from tff_lm.learning.options import ScheduleOptions
from tff_lm.learning.orders import with_client_orders


def _build(model=None, **options):
    return fixtures.process(model, client_learning_rate=0.2, **options)


@functools.cache
def _plain():
    """FedAvg, built once: a process keeps nothing."""
    return _build()


def _after(process, *cohorts):
    state, _ = fixtures.run(process, cohorts)[-1]
    return fixtures.trainable(process, state)


def _dataset_fn(spec):
    """A spec is the number of a client; its text is a function of it."""
    number = tf.strings.to_number(tf.where(tf.equal(spec, ""), "0", spec), tf.int32)

    def batch(index):
        seed = tf.stack([number, tf.cast(index, tf.int32)])
        words = tf.random.stateless_uniform([2, 3], seed, 3, fixtures.VOCABULARY, tf.int32)
        x = tf.pad(words, [[0, 0], [1, 0]], constant_values=1)
        y = tf.pad(words, [[0, 0], [0, 1]], constant_values=2)
        return OrderedDict(x=x, y=y, seed=tf.stack([number, 7]))

    return tf.data.Dataset.range(tf.cast(number, tf.int64)).map(batch)


_POISON = fixtures.VOCABULARY - 1


class PoisonedModel(fixtures.TinyModel):
    """A token turns its loss into NaN."""

    def score(self, x, y, training=False, seed=None, trained=None):
        logits, labels = super().score(x, y, training, seed, trained)
        poisoned = tf.reduce_any(tf.equal(x, _POISON))
        return logits * tf.where(poisoned, np.float32("nan"), np.float32(1)), labels


class ProcessTest(parameterized.TestCase):
    def _assert_same(self, first, second):
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_repeats_bit_for_bit_and_no_proximal_term_is_fed_avg(self):
        cohorts = [fixtures.cohort(1, 2), fixtures.cohort(3, 0)]
        process = _plain()
        once = _after(process, *cohorts)
        self._assert_same(once, _after(process, *cohorts))
        self._assert_same(once, _after(_build(proximal_mu=0.0), *cohorts))

    def test_proximal_term_pulls_towards_the_initial_weights(self):
        cohort = fixtures.cohort(1)
        norms = []
        for mu in (0.001, 1.0, 3.0):
            output = fixtures.run(_build(name="fed_prox", proximal_mu=mu), [cohort])[0]
            norms.append(fixtures.column(fixtures.per_client(output), "update_square")[0])
        self.assertSequenceEqual(norms, sorted(norms, reverse=True))
        self.assertGreater(norms[0], norms[2])

    def test_empty_clients_change_nothing(self):
        process = _build(name="fed_adam")
        with_empty = fixtures.run(process, [fixtures.cohort(0, 1, 0)])[0]
        without = fixtures.run(process, [fixtures.cohort(1)])[0]
        self._assert_same(*(fixtures.trainable(process, s) for s, _ in (with_empty, without)))
        rows = fixtures.per_client(with_empty)
        np.testing.assert_array_equal(rows[[0, 2]], 0.0)
        self.assertGreater(rows[1].sum(), 0.0)
        state, _ = with_empty
        (after, output) = fixtures.run(process, [fixtures.cohort(0, 0)], state)[0]
        self._assert_same(fixtures.trainable(process, state), fixtures.trainable(process, after))
        self.assertEqual(output["finalizer"]["variables_updated"], 0)
        self.assertEqual(after.finalizer["round"], state.finalizer["round"])

    def test_client_that_diverges_is_left_out_and_counted(self):
        process = _build(fixtures.client_model(PoisonedModel))
        poison = OrderedDict(
            x=np.array([[1, _POISON]], np.int32),
            y=np.array([[_POISON, 2]], np.int32),
            seed=np.zeros(2, np.int32),
        )
        healthy = OrderedDict(poison, x=np.array([[1, 7]], np.int32))
        both = [fixtures.dataset([poison]), fixtures.dataset([healthy])]
        output = fixtures.run(process, [both])[0]
        rows = fixtures.per_client(output)
        np.testing.assert_array_equal(fixtures.column(rows, "non_finite"), [1, 0])
        self.assertEqual(rows[0].sum(), 1)
        self.assertEqual(metrics.summarise(rows)["non_finite_clients"], 1)
        self.assertEqual(output[1]["aggregator"]["nonfinite_clients"], 1)
        self.assertEqual(output[1]["aggregator"]["clients"], 1)
        self._assert_same(fixtures.trainable(process, output[0]), _after(process, both[1:]))
        after, _ = fixtures.run(process, [both[:1]])[0]
        start = fixtures.trainable(process, process.initialize())
        self._assert_same(start, fixtures.trainable(process, after))

    @parameterized.parameters("tokens", "examples", "uniform")
    def test_weighting(self, weighting):
        cohort = [fixtures.dataset(fixtures.random_batches(1, 4)), *fixtures.cohort(2, count=1)]
        process = _build(weighting=weighting)
        alone = [_after(process, [data]) for data in cohort]
        start = fixtures.trainable(process, process.initialize())
        (state, _), *_ = outputs = fixtures.run(process, [cohort])
        rows = fixtures.per_client(outputs[0])
        weight = np.ones(2) if weighting == "uniform" else fixtures.column(rows, weighting)
        np.testing.assert_array_equal(fixtures.column(rows, "examples"), [16, 4])
        for s, a, b, mean in zip(start, *alone, fixtures.trainable(process, state), strict=True):
            expected = s + ((a - s) * weight[0] + (b - s) * weight[1]) / weight.sum()
            np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-6)

    def test_steps_and_epochs(self):
        batches = fixtures.random_batches(1, 3)
        plain, whole = _plain(), [fixtures.dataset(batches)]
        five_steps = _build(learning={"local_epochs": 2, "local_steps": 5})
        first_five = [fixtures.dataset(batches + batches[:2])]
        self._assert_same(_after(five_steps, whole), _after(plain, first_five))
        one = [fixtures.dataset(batches[:1])]
        self._assert_same(
            _after(five_steps, one), _after(plain, [fixtures.dataset(batches[:1] * 2)])
        )

    def test_clipping_bounds_a_step(self):
        output = fixtures.run(
            fixtures.process(clip_norm=0.01, client_learning_rate=1.0),
            [fixtures.cohort(1, count=1)],
        )[0]
        norm = np.sqrt(fixtures.column(fixtures.per_client(output), "update_square")[0])
        self.assertAlmostEqual(norm, 0.01, places=5)

    def test_schedules_scale_the_rates(self):
        decay = ScheduleOptions("linear", decay=2)
        data = [fixtures.cohort(1, count=3)]
        # By local step the factors are 1, 1/2, 0: the third step does nothing.
        local = {"local_schedule": decay}
        self._assert_same(
            _after(_build(learning=local), *data),
            _after(_build(learning={**local, "local_steps": 2}), *data),
        )
        for name in ("client_schedule", "server_schedule"):
            process = _build(learning={name: decay})
            states = [s for s, _ in fixtures.run(process, data * 4)]
            weights = [fixtures.trainable(process, state) for state in states]
            self.assertFalse(np.array_equal(weights[0][0], weights[1][0]))
            self._assert_same(weights[1], weights[3])

    def test_hyperparameters_are_set_without_a_new_process(self):
        process = _plain()
        state = process.initialize()
        hparams = process.get_hparams(state)
        self.assertAlmostEqual(float(hparams["client_work"]["learning_rate"]), 0.2)
        hparams["client_work"]["learning_rate"] = np.float32(0.05)
        data = fixtures.cohort(1)
        changed = process.next(process.set_hparams(state, hparams), data).state
        expected = _after(fixtures.process(client_learning_rate=0.05), data)
        self._assert_same(fixtures.trainable(process, changed), expected)

    def test_client_orders_and_evaluation(self):
        process = _plain()
        next_round = with_client_orders(process, _dataset_fn)
        state_type = process.initialize.type_signature.result.member
        model = fixtures.client_model()
        evaluate = evaluation.build_evaluation(
            GlobalModel(),
            model.model_fn,
            model.partition,
            model.starts_word,
            [_dataset_fn],
            state_type,
        )
        state = next_round(process.initialize(), ["2", "", "3"]).state
        data = [_dataset_fn(tf.constant(s)) for s in ("2", "", "3")]
        self._assert_same(fixtures.trainable(process, state), _after(process, data))
        (rows,) = evaluate(state, ["", "2"])
        np.testing.assert_array_equal(rows[0], 0.0)
        self._assert_row(rows[1], fixtures.trainable(process, state), "2")

    def _assert_row(self, row, weights, spec):
        """The row of an evaluated client, computed in NumPy."""
        model = fixtures.TinyModel()
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)
        expected = dict.fromkeys(metrics.METRIC_NAMES, 0.0)
        for batch in _dataset_fn(tf.constant(spec)):
            logits, labels = (t.numpy() for t in model.score(batch["x"], batch["y"]))
            logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            rank = (logits > np.take_along_axis(logits, labels[:, None], 1)).sum(axis=1)
            expected["words"] += (labels > 3).sum()
            nats = -np.take_along_axis(logp, labels[:, None], 1)[:, 0]
            for prefix, kept in (("", labels > 0), ("eos_", labels == 2), ("unk_", labels == 3)):
                expected[f"{prefix}nats"] += nats[kept].sum()
                expected[f"{prefix}tokens"] += kept.sum()
                expected[f"{prefix}top1"] += (rank < 1)[kept].sum()
                expected[f"{prefix}top3"] += (rank < 3)[kept].sum()
            expected["examples"] += 2
            expected["positions"] += 8
            expected["batches"] += 1
        np.testing.assert_allclose(row, list(expected.values()), rtol=1e-4)

    @parameterized.parameters(*fixtures.algorithms_of_their_own())
    def test_splits_into_independent_aggregations(self, name):
        process = _build(name=name)
        mergeable_comp_compiler.compile_to_mergeable_comp_form(process.next)

    def test_unknown_names_are_refused(self):
        with self.assertRaisesRegex(
            ValueError, "Unknown algorithm 'fedavg'; did you mean 'fed_avg'"
        ):
            _build(name="fedavg")
        with self.assertRaisesRegex(ValueError, "unknown optimizer 'lion'"):
            _build(client_optimizer="lion")
        with self.assertRaisesRegex(ValueError, "Unknown weighting 'words'"):
            _build(weighting="words")
        with self.assertRaisesRegex(ValueError, "local_epochs = 0 must be at least 1"):
            _build(learning={"local_epochs": 0})


if __name__ == "__main__":
    absltest.main()
