"""Downloads from a server on this machine, which breaks off, changes its mind or is not there."""

import base64
import contextlib
import hashlib
import os
import pathlib
import random
from unittest import mock

from absl.testing import absltest, parameterized

from tasks import download
from tasks.errors import TaskError
from tests.tasks.file_server import FileServer

CONTENT = random.Random(1).randbytes(5000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NO_PAUSES = (0.0, 0.0, 0.0)


class DownloadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(download, "_CHUNK", 100))
        self.server = self.enter_context(FileServer(CONTENT).running())
        self.folder = os.path.join(self.create_tempdir().full_path, "new")
        self.out = self.enter_context(contextlib.redirect_stdout(open(os.devnull, "w")))  # noqa: SIM115
        self.addCleanup(self.out.close)

    def fetch(self, pauses=NO_PAUSES, **facts):
        source = download.Source(self.server.url("a.bin"), **facts)
        return download.fetch(source, self.folder, pauses)

    def assert_fetched(self, path):
        self.assertEqual(path, f"{self.folder}/a.bin")
        self.assertEqual(pathlib.Path(path).read_bytes(), CONTENT)
        self.assertEqual(set(os.listdir(self.folder)), {"a.bin", ".a.bin.lock"})

    def ranges(self):
        return [asked.get("Range") for asked in self.server.asked]

    def test_once(self):
        self.assert_fetched(self.fetch(size=5000, sha256=SHA256))
        self.assert_fetched(self.fetch(size=5000, sha256=SHA256))
        self.assertEqual(self.ranges(), [None])

    def test_a_connection_that_breaks_is_taken_up_where_it_was(self):
        self.server.cuts = [1200, 700]
        self.assert_fetched(self.fetch(size=5000, sha256=SHA256))
        self.assertEqual(self.ranges(), [None, "bytes=1200-", "bytes=1900-"])

    def test_the_next_call_goes_on(self):
        self.server.headers = {"ETag": '"one"'}
        self.server.cuts = [1200]
        with self.assertRaisesRegex(TaskError, "no connection to 127.0.0.1.*1,200 bytes are kept"):
            self.fetch(pauses=())
        self.assert_fetched(self.fetch())
        self.assertEqual(self.ranges(), [None, "bytes=1200-"])
        self.assertEqual(self.server.asked[1]["If-Range"], '"one"')

    def test_another_file_at_the_same_place_is_begun_anew(self):
        self.server.headers, self.server.cuts = {"ETag": '"one"'}, [1200]
        with self.assertRaises(TaskError):
            self.fetch(pauses=())
        self.server.headers["ETag"] = '"two"'
        self.server.content = CONTENT[::-1]
        path = self.fetch()
        self.assertEqual(pathlib.Path(path).read_bytes(), CONTENT[::-1])

    def test_what_no_hash_and_no_etag_vouch_for_is_not_pieced_together(self):
        self.server.cuts = [1200]
        self.assert_fetched(self.fetch())
        self.assertEqual(self.ranges(), [None, None])

    def test_bytes_beyond_the_end_are_thrown_away(self):
        os.makedirs(self.folder)
        pathlib.Path(self.folder, "a.bin.part").write_bytes(CONTENT * 2)
        self.assert_fetched(self.fetch(sha256=SHA256))
        self.assertEqual(self.ranges(), ["bytes=10000-", None])

    def test_what_came_whole_is_not_asked_for_again(self):
        os.makedirs(self.folder)
        pathlib.Path(self.folder, "a.bin.part").write_bytes(CONTENT)
        self.assert_fetched(self.fetch(size=5000, sha256=SHA256))
        self.assertEmpty(self.server.asked)

    @parameterized.parameters(
        ({"sha256": "0" * 64}, {}, f"sha256 {SHA256} instead of 000"),
        ({"size": 4999}, {}, "bytes 5000 instead of 4999"),
        (
            {},
            {"X-Goog-Hash": "crc32c=AAAAAA==, md5=" + base64.b64encode(bytes(16)).decode()},
            f"MD5 {hashlib.md5(CONTENT).hexdigest()} instead of 000",
        ),
    )
    def test_what_is_not_the_file_is_removed(self, facts, headers, message):
        self.server.headers = headers
        with self.assertRaisesRegex(TaskError, f"is not the file that was published: {message}"):
            self.fetch(**facts)
        self.assertEqual(os.listdir(self.folder), [".a.bin.lock"])

    @parameterized.parameters((404, "answers 404"), (503, "answers 503"))
    def test_what_the_server_answers_is_said(self, status, message):
        self.server.status = status
        with self.assertRaisesRegex(TaskError, message):
            self.fetch()
        self.assertLen(self.server.asked, 1)

    def test_no_room(self):
        usage = mock.Mock(free=4999)
        with (
            mock.patch.object(download.shutil, "disk_usage", return_value=usage),
            self.assertRaisesRegex(TaskError, "5,000 bytes are to come.*room for 4,999"),
        ):
            self.fetch()

    def test_no_place_to_write(self):
        pathlib.Path(self.folder).write_text("a file")
        with self.assertRaisesRegex(TaskError, f"{self.folder}/a.bin cannot be written: File exi"):
            self.fetch()


class SourceTest(absltest.TestCase):
    def test_name_and_facts(self):
        source = download.Source("https://a.org/b/c.tar.gz?x=1", 1234, "ff")
        self.assertEqual((source.name, source.host), ("c.tar.gz", "a.org"))
        self.assertEqual(source.facts, "1,234 bytes, sha256 ff")
        self.assertIn("only its server states", download.Source("https://a.org/b").facts)


if __name__ == "__main__":
    absltest.main()
