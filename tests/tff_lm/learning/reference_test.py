"""Every algorithm against TFF's own builder."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import functools

import numpy as np
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.models import build_model

_OPTIMIZERS = tff.learning.optimizers
_COHORTS = [(1, 2, 0), (3, 4), (5,), (2, 6)]

_SERVERS = {
    "fed_avg": (1.0, _OPTIMIZERS.build_sgdm(1.0)),
    "fed_avg_m": (0.5, _OPTIMIZERS.build_sgdm(0.5, 0.9)),
    "fed_adam": (0.05, _OPTIMIZERS.build_adam(0.05, 0.9, 0.99, 1e-3)),
    "fed_yogi": (0.05, _OPTIMIZERS.build_yogi(0.05, 0.9, 0.99, 1e-3)),
}
_CLIENTS = {
    "momentum": _OPTIMIZERS.build_sgdm(0.2, 0.9),
    "adam": _OPTIMIZERS.build_adam(0.2, 0.9, 0.999, 1e-7),
    "adagrad": _OPTIMIZERS.build_adagrad(0.2, 0.1, 1e-7),
    "yogi": _OPTIMIZERS.build_yogi(0.2, 0.9, 0.999, 1e-3),
}


class ReferenceTest(parameterized.TestCase):
    def _assert_equal_runs(self, options, reference, model_fn=fixtures.TinyModel, cohorts=_COHORTS):
        ours = fixtures.process(fixtures.client_model(model_fn), **options)
        data = [fixtures.cohort(*clients) for clients in cohorts]
        states = [state for state, _ in fixtures.run(ours, data)]
        theirs = [state for state, _ in fixtures.run(reference, data)]
        for state, their_state in zip(states, theirs, strict=True):
            expected = fixtures.trainable(reference, their_state)
            for ours_w, theirs_w in zip(fixtures.trainable(ours, state), expected, strict=True):
                np.testing.assert_allclose(ours_w, theirs_w, rtol=2e-4, atol=2e-6)
        start = fixtures.trainable(ours, ours.initialize())
        moved = [np.abs(a - b).max() for a, b in zip(start, expected, strict=True)]
        self.assertGreater(min(moved), 1e-3)

    def _fed_avg(self, client, server, model_fn=fixtures.TinyModel):
        return tff.learning.algorithms.build_weighted_fed_avg(
            functools.partial(fixtures.ReferenceModel, model_fn), client, server
        )

    @parameterized.parameters(*_SERVERS)
    def test_server_optimizer(self, name):
        rate, server = _SERVERS[name]
        options = {
            "name": name,
            "client_learning_rate": 0.2,
            "server_learning_rate": rate,
            "server_epsilon": 1e-3,
        }
        self._assert_equal_runs(options, self._fed_avg(_OPTIMIZERS.build_sgdm(0.2), server))

    def test_fed_adagrad(self):
        # TFF adds epsilon under the root, the paper after it: equal where epsilon is negligible.
        options = {
            "name": "fed_adagrad",
            "client_learning_rate": 0.2,
            "server_learning_rate": 0.1,
            "server_epsilon": 1e-7,
        }
        server = _OPTIMIZERS.build_adagrad(0.1, 0.1, 1e-7)
        self._assert_equal_runs(options, self._fed_avg(_OPTIMIZERS.build_sgdm(0.2), server))

    @parameterized.parameters(*_CLIENTS)
    def test_client_optimizer(self, name):
        options = {"client_learning_rate": 0.2, "client_optimizer": name}
        reference = self._fed_avg(_CLIENTS[name], _OPTIMIZERS.build_sgdm(1.0))
        self._assert_equal_runs(options, reference)

    def test_fed_prox(self):
        # TFF 0.87 adds mu * (w0 - w) to the gradient: the opposite of Li et al. 2020, equation 2.
        options = {"name": "fed_prox", "client_learning_rate": 0.2, "proximal_mu": -1.5}
        reference = tff.learning.algorithms.build_weighted_fed_prox(
            fixtures.ReferenceModel, 1.5, _OPTIMIZERS.build_sgdm(0.2), _OPTIMIZERS.build_sgdm(1.0)
        )
        self._assert_equal_runs(options, reference)

    def test_architecture(self):
        # The others: `partial_test` compares them with Keras' own training.
        model_fn = functools.partial(build_model, "transformer_tiny", fixtures.VOCABULARY, seed=5)
        reference = self._fed_avg(
            _OPTIMIZERS.build_sgdm(0.2), _OPTIMIZERS.build_sgdm(1.0), model_fn
        )
        options = {"client_learning_rate": 0.2}
        self._assert_equal_runs(options, reference, model_fn, cohorts=[(1, 2), (3, 0)])


if __name__ == "__main__":
    absltest.main()
