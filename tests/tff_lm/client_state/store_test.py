import pathlib
import signal
import subprocess
import sys
import tempfile

import numpy as np
from absl.testing import absltest, parameterized

from tff_lm.client_state.store import ClientStateStore, Leaf

_LEAVES = (Leaf("c", np.dtype("float32"), (2, 3)), Leaf("steps", np.dtype("int64"), ()))


def _state(value):
    return {"c": np.full([2, 3], value, np.float32), "steps": np.array(int(value), np.int64)}


class StoreTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def open(self, kind):
        store = ClientStateStore(_LEAVES, self.folder / "s.sqlite" if kind == "file" else None)
        self.addCleanup(store.close)
        return store

    def assert_kept(self, store, client, before, value):
        found = store.get(client, before)
        if value is None:
            self.assertIsNone(found)
            return
        for name, array in _state(value).items():
            np.testing.assert_array_equal(found[name], array)
            self.assertEqual(found[name].dtype, array.dtype)

    @parameterized.parameters("memory", "file")
    def test_a_round_reads_what_came_before_it_however_often_it_is_computed(self, kind):
        store = self.open(kind)
        self.assert_kept(store, "anna", 1, None)
        for number in (1, 4, 4):
            store.put("anna", number, _state(number))
            store.put("bo'b", number, _state(10 + number))
            store.commit()
        self.assert_kept(store, "anna", 1, None)
        self.assert_kept(store, "anna", 4, 1)
        self.assert_kept(store, "anna", 9, 4)
        self.assert_kept(store, "bo'b", 9, 14)

    @parameterized.parameters("memory", "file")
    def test_a_round_that_fails_leaves_nothing(self, kind):
        store = self.open(kind)
        store.put("anna", 1, _state(1))
        store.commit()
        store.put("anna", 2, _state(2))
        store.discard()
        self.assert_kept(store, "anna", 9, 1)

    @parameterized.parameters("memory", "file")
    def test_forgetting(self, kind):
        store = self.open(kind)
        for number in (1, 3, 5, 7):
            store.put("anna", number, _state(number))
        store.put("bob", 2, _state(2))
        store.commit()
        store.forget_after(5)
        self.assert_kept(store, "anna", 9, 5)
        store.forget_superseded(4)
        self.assert_kept(store, "anna", 3, None)  # 1 is superseded by 3 ...
        self.assert_kept(store, "anna", 5, 3)  # ... which a run from round 4 on reads
        self.assert_kept(store, "anna", 9, 5)
        self.assert_kept(store, "bob", 9, 2)

    def test_all_of_a_store_in_memory_is_one_array(self):
        store, other = self.open("memory"), self.open("memory")
        store.put("anna", 1, _state(1))
        store.commit()
        other.put("bob", 1, _state(5))
        other.commit()
        other.load(store.dump())
        self.assert_kept(other, "anna", 2, 1)
        self.assert_kept(other, "bob", 2, None)
        other.put("bob", 3, _state(6))
        other.commit()
        self.assert_kept(other, "bob", 4, 6)

    def test_a_killed_process_leaves_the_last_whole_round(self):
        code = (
            "import os, pathlib, signal, sys\n"
            "import numpy as np\n"
            "from tff_lm.client_state.store import ClientStateStore, Leaf\n"
            "leaves = [Leaf('c', np.dtype('float32'), (2, 3))]\n"
            "leaves.append(Leaf('steps', np.dtype('int64'), ()))\n"
            "store = ClientStateStore(leaves, pathlib.Path(sys.argv[1]))\n"
            "def put(v):\n"
            "    state = {'c': np.full([2, 3], v, np.float32), 'steps': np.array(v, np.int64)}\n"
            "    store.put('anna', v, state)\n"
            "put(1)\n"
            "store.commit()\n"
            "put(2)\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        path = self.folder / "s.sqlite"
        done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        self.assert_kept(self.open("file"), "anna", 9, 1)


if __name__ == "__main__":
    absltest.main()
