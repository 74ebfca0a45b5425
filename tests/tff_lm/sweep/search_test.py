import json
import pathlib

from absl.testing import absltest, parameterized
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.tff_lm.sweep import fake_sweep
from tff_lm.config import ConfigError
from tff_lm.sweep import Search, Sweep
from tff_lm.sweep.plan import Planner
from tff_lm.sweep.search import TrialSearch, first_run

RATE = "algorithm.client_learning_rate"
SPACE = {RATE: FloatDistribution(1e-3, 10.0, log=True)}


class SearchTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def open(self, space=None, root=None, **options):
        """The search as a new process finds it."""
        search = Search(space or SPACE, **{"trials": 3, **options})
        sweep = Sweep(
            "t",
            "d",
            config=str(fake_sweep.ROOT / "configs" / "tiny.py"),
            base={"task.path": "/nowhere"},
            search=search,
        )
        root = root or self.root
        return TrialSearch(sweep, search, Planner(sweep, root), root)

    def finish(self, run, perplexity):
        run.workdir.create()
        figures = {"rounds": run.rounds, "validation": {"token_perplexity": perplexity}}
        run.workdir.summary.write_text(json.dumps(figures))

    def run_all(self, trials, perplexity=lambda run: run.config.algorithm.client_learning_rate):
        rates = []
        while drawn := trials.draw(1):
            ((number, run),) = drawn
            rates.append(run.config.algorithm.client_learning_rate)
            self.finish(run, perplexity(run))
            trials.tell(number, run)
        return rates

    def test_trials_are_runs_within_the_space(self):
        trials = self.open()
        rates = self.run_all(trials)
        self.assertLen(set(rates), 3)
        for rate in rates:
            self.assertBetween(rate, 1e-3, 10.0)
        names = [run.name for run in trials.finished()]
        self.assertEqual(names, [f"trial_00{number}-seed_0" for number in range(3)])

    def test_an_interrupted_search_draws_what_an_uninterrupted_one_does(self):
        whole = self.run_all(self.open(root=pathlib.Path(self.create_tempdir().full_path)))
        ((number, run),) = self.open().draw(1)  # killed while it ran
        again = self.open()
        ((same, resumed),) = again.draw(1)
        self.assertEqual((same, resumed.flags), (number, run.flags))
        self.finish(resumed, 1.0)
        again.tell(same, resumed)
        rest = self.run_all(self.open())
        self.assertEqual([run.config.algorithm.client_learning_rate, *rest], whole)
        self.assertEmpty(self.open().draw(1))

    def test_the_sampler_learns_from_results(self):
        rates = self.run_all(self.open(trials=40))
        self.assertLess(sum(rates[20:]) / 20, 0.5 * sum(rates[:10]) / 10)

    def test_a_failed_trial_waits_for_the_next_call_and_a_diverged_one_is_done(self):
        trials = self.open(trials=2)
        (failed, diverged) = trials.draw(2)
        trials.tell(*failed)
        self.finish(diverged[1], None)
        trials.tell(*diverged)
        self.assertEmpty(trials.draw(2))
        self.assertEqual([number for number, _ in self.open(trials=2).draw(2)], [failed[0]])
        self.assertEmpty(trials.finished())

    def test_another_space_is_refused(self):
        self.open().draw(1)
        with self.assertRaisesRegex(ConfigError, "another space.*choose another --workdir"):
            self.open({RATE: FloatDistribution(0.1, 1.0)})

    def test_an_unknown_objective_is_named(self):
        trials = self.open(objective="validation.perplexity")
        ((number, run),) = trials.draw(1)
        self.finish(run, 1.0)
        with self.assertRaisesRegex(ConfigError, "no 'validation.perplexity'"):
            trials.tell(number, run)

    @parameterized.parameters(
        ({"algorithm.client_rate": FloatDistribution(0.1, 1.0)}, "unknown key"),
        ({"federated.local_epochs": IntDistribution(0, 3)}, "must be at least 1"),
        ({"upload.codec": CategoricalDistribution(["drive", "zip"])}, "upload.codec: 'zip'"),
        ({"task.name": CategoricalDistribution(["text", "chat"])}, "task.path is missing"),
    )
    def test_a_space_is_checked_before_anything_runs(self, space, message):
        search = Search(space, trials=1)
        sweep = Sweep("t", "d", config=str(fake_sweep.ROOT / "configs" / "tiny.py"), search=search)
        with self.assertRaisesRegex(ConfigError, message):
            first_run(search, Planner(sweep, self.root), 0)


if __name__ == "__main__":
    absltest.main()
