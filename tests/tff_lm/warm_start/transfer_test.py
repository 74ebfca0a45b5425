"""From central training to federated rounds, with real data, models and workers."""

# bazel: size = enormous

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import contextlib
import functools
import io
import json
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest, parameterized

from tests.tasks import fixtures
from tff_lm.commands import train
from tff_lm.config import ConfigError, default_config, read_json, validate
from tff_lm.experiment import central, central_plan
from tff_lm.models import build_model
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.metrics_table import read_rows
from tff_lm.run_folder.workdir import Workdir
from tff_lm.serving import trained_model

MODEL = "transformer_tiny"
VALIDATION = [f"validation_{name}" for name in ("loss", "token_perplexity", "word_perplexity")]


class TransferTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / f"transfer_{os.getpid()}"
        (cls.folder / "other").mkdir(parents=True)
        os.environ["TFF_LM_CACHE"] = str(cls.folder / "cache")
        cls.corpus = fixtures.write_json_lines(str(cls.folder), per_split=5, each=20)
        cls.central = cls.pretrain("central")

    @classmethod
    def config(cls, **changes):
        config = default_config()
        values = {
            "task__name": "text",
            "task__path": cls.corpus,
            "task__vocabulary_size": 120,
            "model__name": MODEL,
            "federated__rounds": 0,
            "federated__clients_per_round": 3,
            "federated__batch_size": 4,
            "federated__max_length": 8,
            "evaluation__every": 1,
            "checkpoint__every": 1,
            "runtime__precision": "float32",
            **changes,
        }
        for key, value in values.items():
            section, leaf = key.split("__")
            config[section][leaf] = value
        return validate(config)

    @classmethod
    def run_in(cls, name, config):
        workdir, out = Workdir(cls.folder / name), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = train.train(config, workdir)
        if code:
            raise AssertionError(out.getvalue())
        cls.output = out.getvalue()
        return workdir

    @classmethod
    def pretrain(cls, name, **changes):
        settings = {
            "pretrain__passes": 3,
            "pretrain__batch_size": 8,
            "pretrain__steps_per_round": 10,
            "pretrain__learning_rate": 0.02,
            "pretrain__warmup": 5,
            **changes,
        }
        config = cls.config(**settings)
        return cls.run_in(name, central_plan.resolve(config))

    def warm(self, workdir, **changes):
        settings = {"warm_start__checkpoint": str(workdir.root), **changes}
        return self.run_in(self.id().rpartition(".")[2], self.config(**settings))

    def begun(self, name=None, source=None, **changes):
        """The weights with which a run begins, and its folder; no round is computed."""
        settings = {
            "pretrain__passes": 1,
            "warm_start__checkpoint": str((source or self.central).root),
            **changes,
        }
        workdir = Workdir(self.folder / (name or self.id().rpartition(".")[2]))
        workdir.root.mkdir(exist_ok=True)
        config = central_plan.resolve(self.config(**settings))
        with (
            contextlib.redirect_stdout(io.StringIO()),
            central.build_central(config, workdir) as experiment,
        ):
            experiment.begin()
            arrays = experiment.runtime.state_arrays()
            return workdir, {n: arrays[leaf] for n, leaf in experiment.weight_leaves.items()}

    def weights(self, workdir, round_number=None):
        store = CheckpointStore(workdir.checkpoints)
        found = store.latest() if round_number is None else store.load(round_number)
        return {name: found.arrays[leaf] for name, leaf in found.meta["weight_leaves"].items()}

    def initial(self):
        model = build_model(MODEL, 120)
        values = [variable.numpy() for variable in model.trainable_variables]
        return dict(zip(model.weight_names, values, strict=True))

    def assert_same(self, ours, theirs, name):
        self.assertEqual(ours[name].tobytes(), theirs[name].tobytes(), name)

    def test_central_training_learns_and_leaves_a_run(self):
        measured = read_rows(self.central.metrics)
        self.assertLess(measured[-1]["validation_loss"], 0.9 * measured[0]["validation_loss"])
        summary = json.loads(self.central.summary.read_text())
        self.assertEqual(summary["algorithm"], "central")
        self.assertEqual(summary["communication"]["upload_bytes"], 0)
        rows = summary["data"]["rows"]["train"]
        self.assertBetween(summary["steps"], 3 * rows // 8, 3 * (rows // 8 + 1))
        self.assertLen(measured, 1 + -(-summary["steps"] // 10))

    def test_round_0_of_a_warm_start_is_the_central_model(self):
        warm = self.warm(
            self.central, warm_start__which="latest", algorithm__averaging="lawa(rounds=2)"
        )
        ours, theirs = read_rows(warm.metrics)[0], read_rows(self.central.metrics)[-1]
        np.testing.assert_allclose(
            [ours[name] for name in VALIDATION], [theirs[name] for name in VALIDATION], rtol=1e-6
        )
        ours, theirs = (json.loads(each.summary.read_text()) for each in (warm, self.central))
        np.testing.assert_allclose(
            ours["test"]["token_perplexity"], theirs["test"]["token_perplexity"], rtol=1e-6
        )
        self.assertRegex(self.output, r"loaded +\d+ variables .* embedding, attention, feed_forw")

    def test_a_part_is_loaded_and_nothing_else(self):
        _, warm = self.begun(warm_start__include="attention")
        source, initial = self.weights(self.central), self.initial()
        for name in warm:
            self.assert_same(warm, source if "attention" in name else initial, name)

    def test_a_frozen_part_is_unchanged_after_rounds(self):
        policy = {"partial__policy": "per_round", "partial__fraction": 0.6, "partial__min_size": 64}
        warm = self.warm(
            self.central, warm_start__freeze="embedding", federated__rounds=3, **policy
        )
        ours, source = self.weights(warm), self.weights(self.central)
        self.assert_same(ours, source, "embedding/embeddings")
        changed = {name for name in ours if not np.array_equal(ours[name], source[name])}
        vectors = {name for name, array in ours.items() if array.ndim == 1}
        self.assertContainsSubset(vectors, changed)
        self.assertNotEmpty(changed - vectors)
        sent = json.loads(warm.communication.read_text())
        self.assertEqual(sent["embedding/embeddings"].get("upload_bytes", 0), 0)
        self.assertGreater(sent["final_norm/gamma"]["upload_bytes"], 0)

    def test_a_pattern_that_freezes_nothing_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "'atention' matches no variable.*attention"):
            self.begun(warm_start__freeze="atention")

    def test_a_federated_run_is_a_source_and_a_resumed_run_needs_it_no_more(self):
        first = self.run_in("first", self.config(federated__rounds=1))
        warm = self.warm(first)
        for name, array in self.weights(first).items():
            self.assertEqual(array.tobytes(), self.weights(warm, 0)[name].tobytes())
        config = self.config(warm_start__checkpoint=str(first.root), federated__rounds=1)
        shutil.rmtree(first.root)
        again = self.run_in(warm.root.name, config)
        self.assertLen(read_rows(again.metrics), 2)

    def test_a_run_without_a_whole_checkpoint_starts_warm_again(self):
        warm = self.warm(self.central, warm_start__which="latest")
        for path in warm.checkpoints.iterdir():
            path.write_bytes(path.read_bytes()[:1000])
        warm.summary.unlink()
        again = self.warm(self.central, warm_start__which="latest")
        self.assertIn("there is none before it", self.output)
        self.assertIn("warm start from", self.output)
        for name, array in self.weights(self.central).items():
            self.assertEqual(array.tobytes(), self.weights(again, 0)[name].tobytes(), name)

    def test_architectures_share_what_has_equal_names_and_shapes(self):
        _, ours = self.begun(
            model__name="conformer_tiny", warm_start__include="embedding|attention"
        )
        source = self.weights(self.central)
        shared = [name for name in ours if "embedding" in name or "attention" in name]
        self.assertLen(shared, 7)
        for name in shared:
            self.assert_same(ours, source, name)

    def test_vocabularies_are_checked_and_transferred(self):
        smaller = {"task__vocabulary_size": 100}
        with self.assertRaisesRegex(ConfigError, "fits|another vocabulary|its shape"):
            self.begun(warm_start__include="embedding", **smaller)
        warm, ours = self.begun(warm_start__vocabulary="transfer", **smaller)
        source = self.weights(self.central)
        pieces, theirs = (
            each.vocabulary.read_text().split("\n")[:-1] for each in (warm, self.central)
        )
        shared = [piece for piece in pieces if piece and piece in theirs]
        self.assertGreater(len(shared), 40)
        for piece in shared:
            np.testing.assert_array_equal(
                ours["embedding/embeddings"][pieces.index(piece)],
                source["embedding/embeddings"][theirs.index(piece)],
            )

    def test_attention_that_was_trained_with_other_positions_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "set --config.model.positions=sinusoidal"):
            self.begun(model__positions="rotary")
        rotary = self.pretrain(
            "rotary",
            model__positions="rotary",
            pretrain__steps=1,
            warm_start__checkpoint=str(self.central.root),
            warm_start__include="embedding|feed",
        )
        _, again = self.begun(source=rotary, model__positions="rotary", warm_start__which="latest")
        for name, array in self.weights(rotary).items():
            self.assertEqual(array.tobytes(), again[name].tobytes())

    def test_weights_of_another_recipe_are_refused(self):
        for option, value, meant in (
            ("unigram_bias", True, "block_0"),
            ("activation", "squared_relu", "feed_forward"),
            ("embedding_scale", 2.0, "embedding"),
        ):
            with self.assertRaisesRegex(
                ConfigError, f"{meant}.* was trained .*; set --config.model.{option}="
            ):
                self.warm(self.central, **{f"model__{option}": value})

    def test_a_task_can_take_the_vocabulary_of_a_run(self):
        warm, _ = self.begun(task__vocabulary=str(self.central.root), task__vocabulary_size=60)
        self.assertEqual(warm.vocabulary.read_bytes(), self.central.vocabulary.read_bytes())

    def test_freezing_what_was_not_loaded_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "norm/gamma is frozen.*random initial"):
            self.begun(warm_start__include="embedding", warm_start__freeze="norm")

    def test_a_central_run_starts_warm_too(self):
        source = self.weights(self.central)
        further = self.pretrain(
            "further",
            pretrain__steps=3,
            warm_start__checkpoint=str(self.central.root),
            warm_start__freeze="feed_forward",
        )
        ours = self.weights(further)
        for name in ours:
            equal = ours[name].tobytes() == source[name].tobytes()
            self.assertEqual(equal, "feed_forward" in name, name)

    @staticmethod
    @functools.cache
    def lora(cls):
        """A run of corrections; clients train some of them, and send half of what they train."""
        settings = {
            "warm_start__checkpoint": str(cls.central.root),
            "warm_start__which": "latest",
            "lora__rank": 2,
            "federated__rounds": 2,
            "partial__policy": "per_round",
            "partial__fraction": 0.8,
            "partial__min_size": 32,
            "algorithm__name": "fed_muon",
            "algorithm__averaging": "ema(decay=0.5)",
            "upload__codec": "top_k",
            "upload__fraction": 0.5,
            "upload__min_elements": 16,
        }
        return cls.run_in("lora", cls.config(**settings))

    def test_lora_starts_as_the_base_model_and_sends_corrections_and_vectors_alone(self):
        warm = self.lora(type(self))
        rows = read_rows(warm.metrics)
        base = read_rows(self.central.metrics)[-1]["validation_loss"]
        np.testing.assert_allclose(rows[0]["validation_loss"], base, rtol=1e-6)
        ours, source = self.weights(warm), self.weights(self.central)
        for name, array in source.items():
            equal = array.tobytes() == ours[name].tobytes()
            self.assertEqual(equal, array.ndim > 1, name)
        self.assertTrue(any(np.any(ours[name]) for name in ours if name.endswith("lora_b")))
        sent = json.loads(warm.communication.read_text())
        uploaded = {name for name, traffic in sent.items() if traffic.get("upload_bytes")}
        vectors = {name for name, array in source.items() if array.ndim == 1}
        self.assertContainsSubset(vectors, uploaded)
        corrections = uploaded - vectors
        self.assertNotEmpty(corrections)
        self.assertEmpty([name for name in corrections if "/lora_" not in name])
        summary = json.loads(warm.summary.read_text())
        self.assertEqual(summary["parameters"], sum(array.size for array in source.values()))
        self.assertLess(summary["trained_parameters"], summary["parameters"])

    def test_a_merged_model_is_the_unmerged_one(self):
        warm = self.lora(type(self))
        store = CheckpointStore(warm.checkpoints)
        merged = trained_model.load_weights(read_json(warm.config), store.latest())
        self.assertSameElements(merged, self.weights(self.central))
        source = self.weights(self.central)
        changed = [name for name in source if not np.array_equal(merged[name], source[name])]
        self.assertTrue(any(name.endswith("kernel") for name in changed))
        again = self.pretrain(
            "merged",
            warm_start__checkpoint=str(warm.root),
            warm_start__which="latest",
            pretrain__steps=1,
        )
        ours, theirs = read_rows(again.metrics)[0], read_rows(warm.metrics)[-1]
        np.testing.assert_allclose(
            [ours[name] for name in VALIDATION], [theirs[name] for name in VALIDATION], rtol=1e-5
        )


if __name__ == "__main__":
    absltest.main()
