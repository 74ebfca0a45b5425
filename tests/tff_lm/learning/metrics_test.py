"""A batch's row of sums, and the figures of a cohort from its rows."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm import figures, token_ids
from tasks import vocabulary
from tff_lm.learning import metrics

_EOS, _UNK = token_ids.EOS, token_ids.UNK
_V = 9
_STARTS_WORD = [False] * 3 + [True, True, False, True, False, True]


def _row(**values):
    return [float(values.get(name, 0.0)) for name in metrics.METRIC_NAMES]


def _batch_row(logits, labels, targets=None):
    """The row of a batch by name; a sentence of all labels, unless `targets` says otherwise."""
    labels = tf.constant(labels, tf.int32)
    logits = tf.cast(logits, tf.float32)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    targets = labels[tf.newaxis] if targets is None else tf.constant(targets, tf.int32)
    row = metrics.batch_row(logits, labels, nats, targets, _STARTS_WORD)
    return dict(zip(metrics.METRIC_NAMES, row.numpy().tolist(), strict=True))


def _logits(**values):
    """Logits of one target: those of the ids in `values` ("id4"), and -9 elsewhere."""
    logits = np.full(_V, -9.0, np.float32)
    for name, value in values.items():
        logits[int(name.removeprefix("id"))] = value
    return logits


class BatchRowTest(parameterized.TestCase):
    def test_ties_have_one_winner_by_the_id(self):
        tied = _logits(id4=2.0, id5=2.0, id6=2.0, id7=2.0, id8=1.0)
        # Ranks of ids 4 to 8: 0 to 4.
        row = _batch_row([tied] * 5, [4, 5, 6, 7, 8])
        self.assertEqual((row["top1"], row["top3"]), (1, 3))
        row = _batch_row([tied] * 2, [5, 7])
        self.assertEqual((row["top1"], row["top3"]), (0, 1))

    def test_all_equal_logits_have_one_winner(self):
        row = _batch_row(np.zeros([_V, _V]), range(_V))
        self.assertEqual((row["top1"], row["top3"]), (1, 3))

    def test_rounding_to_bfloat16_makes_no_second_winner(self):
        # 8.0 + i / 1024 are one number in bfloat16, whose steps are of 1 / 16 there.
        exact = np.stack([8.0 + np.arange(_V) / 1024] * _V).astype(np.float32)
        rounded = tf.cast(exact, tf.bfloat16)
        self.assertLen(set(rounded.numpy()[0].tolist()), 1)
        for logits in (exact, rounded):
            row = _batch_row(logits, range(_V))
            self.assertEqual((row["top1"], row["top3"]), (1, 3))

    def test_logits_that_are_no_numbers_are_no_guesses(self):
        for bad in (np.nan, np.inf):
            row = _batch_row(np.full([_V, _V], bad), range(_V))
            self.assertEqual((row["top1"], row["top3"]), (0, 0))

    def test_groups_of_targets_against_numpy(self):
        rng = np.random.default_rng(3)
        labels = rng.choice(np.arange(1, _V), 400, p=[0, 0.2, 0.1] + [0.14] * 5)
        # Few different values: many ties.
        logits = rng.integers(0, 4, [400, _V]).astype(np.float32)
        own = logits[np.arange(400), labels][:, np.newaxis]
        before = (logits == own) & (np.arange(_V) < labels[:, np.newaxis])
        rank = (logits > own).sum(axis=1) + before.sum(axis=1)
        nats = np.log(np.exp(logits).sum(axis=1)) - own[:, 0]
        expected = dict.fromkeys(metrics.METRIC_NAMES, 0.0)
        for prefix, kept in (("", labels > 0), ("eos_", labels == _EOS), ("unk_", labels == _UNK)):
            self.assertGreater(kept.sum(), 10)
            expected[f"{prefix}nats"] = nats[kept].sum()
            expected[f"{prefix}tokens"] = kept.sum()
            expected[f"{prefix}top1"] = (rank < 1)[kept].sum()
            expected[f"{prefix}top3"] = (rank < 3)[kept].sum()
        expected["words"] = np.array(_STARTS_WORD)[labels].sum()
        expected |= {"examples": 2, "positions": 600, "batches": 1}
        targets = np.zeros([3, 200], np.int32)
        targets[:2] = labels.reshape(2, 200)
        found = _batch_row(logits, labels, targets)
        for name, value in expected.items():
            self.assertAlmostEqual(found[name] / max(value, 1), value / max(value, 1), places=5)
        for name in ("tokens", "top1", "top3"):
            self.assertEqual(found[f"eos_{name}"], expected[f"eos_{name}"])
        # What figures say then is what masks would: TFF's tasks weigh such targets with 0.
        keyboard = (labels != _EOS) & (labels != _UNK)
        figure = figures.of(found)
        self.assertAlmostEqual(figure["keyboard_top1_accuracy"], (rank < 1)[keyboard].mean())
        self.assertAlmostEqual(figure["keyboard_top3_accuracy"], (rank < 3)[keyboard].mean())
        np.testing.assert_allclose(
            figure["keyboard_perplexity"], np.exp(nats[keyboard].mean()), rtol=1e-5
        )

    def test_the_ids_are_those_of_every_vocabulary(self):
        for name in ("PAD", "BOS", "EOS", "UNK"):
            index = getattr(token_ids, name)
            self.assertEqual(vocabulary.SPECIAL_PIECES[index], f"[{name}]")


class SummariseTest(absltest.TestCase):
    def test_by_hand(self):
        rows = np.array(
            [
                _row(nats=20, tokens=10, words=5, top1=4, top3=6, examples=2, positions=20,
                     eos_nats=2, eos_tokens=2, eos_top1=2, eos_top3=2, unk_nats=6, unk_tokens=2,
                     batches=1, update_square=4),
                _row(),
                _row(nats=10, tokens=10, words=10, top1=1, top3=2, examples=3, positions=20,
                     eos_nats=1, eos_tokens=3, batches=2, update_square=16),
            ],
            np.float32,
        )  # fmt: skip
        found = metrics.summarise(rows)
        expected = {
            "loss": 1.5,
            "token_perplexity": math.exp(1.5),
            "keyboard_perplexity": math.exp(21 / 13),
            "word_perplexity": math.exp(30 / 20),
            "word_perplexity_without_eos": math.exp(27 / 15),
            "bits_per_word": 1.5 / math.log(2.0),
            "top1_accuracy": 0.25,
            "top3_accuracy": 0.4,
            "keyboard_top1_accuracy": 3 / 13,
            "padding_fraction": 0.5,
            "tokens": 20.0,
            "words": 15.0,
            "examples": 5.0,
            "clients": 2.0,
            "non_finite_clients": 0.0,
            "update_norm": 3.0,
            "token_perplexity_p10": math.exp(1.1),
            "token_perplexity_p50": math.exp(1.5),
            "token_perplexity_p90": math.exp(1.9),
            "keyboard_perplexity_p50": math.exp((12 / 6 + 9 / 7) / 2),
        }
        others = {"padding_fraction", "non_finite_clients", "update_norm"}
        self.assertCountEqual(found, {*figures.SPLIT, *others})
        for name, value in expected.items():
            self.assertAlmostEqual(found[name], value, places=6, msg=name)

    def test_without_data_there_are_no_figures(self):
        for rows in (np.zeros([0, metrics.NUM_METRICS]), [_row(), _row()]):
            found = metrics.summarise(np.asarray(rows))
            self.assertEqual(found["clients"], 0)
            self.assertTrue(math.isnan(found["token_perplexity"]))
            self.assertTrue(math.isnan(found["token_perplexity_p50"]))

    def test_sums_do_not_lose_small_clients(self):
        rows = np.array([_row(tokens=2**24)] + [_row(tokens=1)] * 7, np.float32)
        self.assertEqual(metrics.totals(rows)["tokens"], 2**24 + 7)


if __name__ == "__main__":
    absltest.main()
