from unittest import mock

import numpy as np
from absl.testing import absltest

from tff_lm.runtime.rounds import recovery

_STATE = {"weights": np.ones(2)}


class StateKeeperTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.keeper = recovery.StateKeeper()
        self.fetch = mock.Mock(return_value=_STATE)

    def test_copies_once_and_again_after_a_round(self):
        self.assertIs(self.keeper.copy(self.fetch), _STATE)
        self.assertIs(self.keeper.copy(self.fetch), _STATE)
        self.assertEqual(self.fetch.call_count, 1)
        self.keeper.completed(["a", "b"], seconds=1.0)
        self.keeper.copy(self.fetch)
        self.assertEqual(self.fetch.call_count, 2)

    def test_remembers_the_rounds_since_the_copy(self):
        self.keeper.put(_STATE, rounds=5)
        self.keeper.completed(["a"], seconds=1.0)
        self.keeper.completed(("b", "c"), seconds=1.0)
        self.assertEqual(self.keeper.replay, [["a"], ["b", "c"]])
        self.assertEqual((self.keeper.rounds_at_copy, self.keeper.rounds), (5, 7))
        self.keeper.copy(self.fetch)
        self.assertEqual((self.keeper.rounds_at_copy, self.keeper.replay), (7, []))

    def test_copy_is_due_when_rounds_took_a_hundred_times_as_long_as_a_copy(self):
        with mock.patch.object(recovery.time, "monotonic", side_effect=[10.0, 12.0]):
            self.keeper.copy(self.fetch)  # takes two seconds
        self.keeper.completed(["a"], seconds=199.0)
        self.assertFalse(self.keeper.copy_is_due)
        self.keeper.completed(["a"], seconds=2.0)
        self.assertTrue(self.keeper.copy_is_due)
        self.keeper.put(_STATE, rounds=9)
        self.assertFalse(self.keeper.copy_is_due)

    def test_failed_copy_leaves_the_last_one(self):
        self.keeper.put(_STATE, rounds=1)
        self.keeper.completed(["a"], seconds=1.0)
        self.fetch.side_effect = ConnectionError
        with self.assertRaises(ConnectionError):
            self.keeper.copy(self.fetch)
        self.assertIs(self.keeper.state, _STATE)
        self.assertEqual(self.keeper.replay, [["a"]])


if __name__ == "__main__":
    absltest.main()
