"""Checkpoints under real faults: cut files, flipped bits, a full disk, a killed writer."""

# bazel: size = medium

import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import numpy as np
from absl.testing import absltest, parameterized

from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.errors import RunError

ROOT = pathlib.Path(__file__).parents[3]


def arrays(scale=1):
    return {
        "global_model_weights/trainable/0": scale
        * np.arange(3000, dtype=np.float32).reshape(3, -1),
        "finalizer/step": np.int64(scale),
        "empty": np.zeros([0, 4], np.float32),
        "flags": np.array([True, False]),
    }


class CheckpointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.store = CheckpointStore(self.folder, keep=3)
        self.said = []

    def assert_same(self, checkpoint, expected):
        self.assertSameElements(checkpoint.arrays, expected)
        for name, array in expected.items():
            found = checkpoint.arrays[name]
            self.assertEqual((found.dtype, found.shape), (array.dtype, array.shape))
            self.assertEqual(found.tobytes(), array.tobytes())

    def test_what_is_saved_is_loaded(self):
        self.store.save(7, arrays(), {"score": 1.5, "names": {"a": "b"}})
        checkpoint = self.store.load(7)
        self.assert_same(checkpoint, arrays())
        self.assertEqual(checkpoint.meta["names"], {"a": "b"})
        self.assertEqual(checkpoint.round, 7)
        with np.load(self.store.path(7)) as file:
            self.assertIn("finalizer/step", file)

    def test_no_checkpoint(self):
        self.assertIsNone(self.store.latest())
        self.assertIsNone(self.store.best_round())
        with self.assertRaisesRegex(RunError, "cannot be read"):
            self.store.load(3)

    def test_the_last_ones_and_the_best_are_kept(self):
        scores = {1: 9.0, 2: 3.0, 3: None, 4: 5.0, 5: 4.0, 6: None}
        for number, score in scores.items():
            self.store.save(number, arrays(), {"score": score})
        self.assertEqual(self.store.rounds(), [2, 4, 5, 6])
        self.assertEqual(self.store.best_round(), 2)

    @parameterized.parameters(0, 1, 100, 5000, -1, -30)
    def test_a_cut_file_is_passed_over(self, size):
        self.store.save(1, arrays(1), {"score": None})
        self.store.save(2, arrays(2), {"score": None})
        data = self.store.path(2).read_bytes()
        self.store.path(2).write_bytes(data[:size])
        checkpoint = self.store.latest(self.said.append)
        self.assertEqual(checkpoint.round, 1)
        self.assert_same(checkpoint, arrays(1))
        self.assertLen(self.said, 1)
        self.assertIn("round_000002.npz cannot be read", self.said[0])

    def test_a_flipped_bit_is_noticed_wherever_it_is_in_the_arrays(self):
        self.store.save(1, arrays(1), {"score": None})
        self.store.save(2, arrays(2), {"score": None})
        data = bytearray(self.store.path(2).read_bytes())
        for position in (700, 4000, 12_000):
            data[position] ^= 1
            self.store.path(2).write_bytes(data)
            data[position] ^= 1
            self.assertEqual(self.store.latest(self.said.append).round, 1, msg=position)

    def test_none_whole_is_none(self):
        self.store.path(1).write_bytes(b"")
        self.assertIsNone(self.store.latest(self.said.append))

    def test_a_full_disk_is_an_error_that_loses_nothing(self):
        self.store.save(1, arrays(1), {"score": None})
        # A limit on the size of files is the full disk that a test may have without being root.
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
        try:
            with self.assertRaisesRegex(
                RunError, r"round 2 could not be written .*the one of round 1 is whole: free \d+ MB"
            ):
                self.store.save(2, arrays(2), {"score": None})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["round_000001.npz"])
        self.assert_same(self.store.latest(), arrays(1))
        self.store.save(2, arrays(2), {"score": None})
        self.assertEqual(self.store.latest().round, 2)

    def test_a_folder_that_cannot_be_written_is_an_error_in_words(self):
        store = CheckpointStore(pathlib.Path(self.create_tempfile().full_path))
        with self.assertRaisesRegex(RunError, "could not be written .*: make .* writable"):
            store.save(1, arrays(), {})

    def test_a_writer_killed_at_any_moment_leaves_a_whole_checkpoint(self):
        program = (
            "import numpy as np, pathlib, sys\n"
            "from tff_lm.run_folder.checkpoints import CheckpointStore\n"
            "store = CheckpointStore(pathlib.Path(sys.argv[1]), keep=2)\n"
            "for number in range(1, 10**6):\n"
            "    array = np.full(300_000, number, np.float32)\n"
            "    store.save(number, {'a': array, 'b': array}, {'score': None})\n"
            "    print(number, flush=True)\n"
        )
        for wait in (0.0, 0.003, 0.007):
            writer = subprocess.Popen(
                [sys.executable, "-c", program, str(self.folder)],
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            )
            for _ in range(3):
                confirmed = int(writer.stdout.readline())
            time.sleep(wait)
            writer.kill()
            writer.wait()
            writer.stdout.close()
            checkpoint = self.store.latest(self.said.append)
            self.assertGreaterEqual(checkpoint.round, confirmed)
            np.testing.assert_array_equal(checkpoint.arrays["a"], checkpoint.round)
            np.testing.assert_array_equal(checkpoint.arrays["b"], checkpoint.round)
            for path in self.store.rounds():
                self.store.path(path).unlink()
        self.assertEmpty(self.said)
        self.store.save(1, arrays(), {})
        self.assertEqual([path.name for path in self.folder.iterdir()], ["round_000001.npz"])


if __name__ == "__main__":
    absltest.main()
