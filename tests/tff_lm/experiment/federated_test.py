"""How an experiment is put together, without running it."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools
import os
import pathlib
from unittest import mock

import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.config import default_config, read
from tff_lm.experiment import federated
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.partial import build_client_model
from tff_lm.models import build_model
from tff_lm.run_folder.workdir import Workdir
from tff_lm.runtime.rounds import state_arrays

_VOCABULARY = 20


def _config(policy, **options):
    config = default_config()
    config.partial.policy = policy
    config.partial.fraction = 1.0 if policy == "full" else 0.5
    config.partial.min_size = 200
    for name, value in options.items():
        config.partial[name] = value
    return config


def _client_model(config):
    model_fn = functools.partial(build_model, "transformer_tiny", _VOCABULARY)
    return build_client_model(
        model_fn, [True] * _VOCABULARY, read(config, PartialOptions, "partial")
    )


class ReadOnlyTest(absltest.TestCase):
    def test_who_may_not_write_into_a_run_gets_no_log_in_it(self):
        workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        workdir.create()
        (own,) = federated._workers(default_config(), workdir)
        self.assertEqual(own.options.log_path, str(workdir.worker_log))
        with mock.patch.object(os, "access", return_value=False):
            (others,) = federated._workers(default_config(), workdir)
        self.assertIsNone(others.options.log_path)


class BroadcastTest(parameterized.TestCase):
    @parameterized.parameters(("fed_avg", 1), ("mime", 2))
    def test_it_knows_how_often_a_round_of_the_algorithm_sends(self, name, calls):
        config = _config("full")
        config.algorithm.name = name
        client_model = _client_model(config)
        algorithm = federated._algorithm(config, client_model, population=10)
        build = federated.build_compressed_broadcast
        with mock.patch.object(federated, "build_compressed_broadcast", wraps=build) as built:
            federated._learning_process(config, client_model, algorithm)
        told = {call.kwargs["calls_per_round"] for call in built.call_args_list}
        self.assertEqual(told, {calls})


class FrozenWeightsTest(parameterized.TestCase):
    @parameterized.parameters("full", "fixed", "per_round")
    def test_only_a_fixed_subset_is_downloaded_once(self, policy):
        config = _config(policy)
        config.algorithm.averaging = "ema"
        client_model = _client_model(config)
        algorithm = federated._algorithm(config, client_model, population=10)
        process = federated._learning_process(config, client_model, algorithm)
        self._check_leaves(config, client_model.partition, process)
        measurements = process.next.type_signature.result.metrics.member["distributor"]
        measured = [name for name, _ in tff.structure.iter_elements(measurements)]
        self.assertIn("download_bits", measured)
        self.assertEqual("first_download_bits" in measured, policy == "fixed")
        ledger = federated._ledger(client_model.partition)
        names = list(ledger.by_variable())
        self.assertSameElements(names, client_model.partition.names)
        trained = client_model.partition.trained_names
        self.assertEqual(names[: len(trained)], list(trained))
        self.assertEqual(len(trained) < len(names), policy == "fixed")

    def _check_leaves(self, config, partition, process):
        """The names of arrays are those of the state: of the model, and of its average."""
        there = state_arrays.zeros(process.initialize.type_signature.result.member)
        trained, evaluated = federated._weight_leaves(config, partition)
        for leaves in (trained, evaluated):
            shapes = tuple(there[leaves[name]].shape for name in partition.names)
            self.assertEqual(shapes, partition.shapes)
        apart = [name for name in trained if trained[name] != evaluated[name]]
        self.assertEqual(apart, list(partition.trained_names))

    def test_the_order_of_freezing_is_for_a_fixed_subset(self):
        model = _client_model(_config("fixed", order="bottom_up"))
        self.assertEqual(model.partition.frozen[0], 0)
        self.assertEqual(model.partition.frozen, tuple(range(len(model.partition.frozen))))
        with self.assertRaisesRegex(ValueError, "for the policy 'fixed' alone"):
            _client_model(_config("per_round", order="bottom_up"))


if __name__ == "__main__":
    absltest.main()
