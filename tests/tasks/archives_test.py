"""Where archives of corpora are looked for, and what is said if they are nowhere."""

import contextlib
import gzip
import io
import lzma
import os
import pathlib
import tarfile
from unittest import mock

from absl.testing import absltest

from tasks import archives, download, lm1b
from tasks.corpus import CorpusOptions
from tasks.errors import TaskError
from tests.tasks.file_server import FileServer

# Nothing listens there.
NOWHERE = "http://127.0.0.1:9/a.txt.lzma"


def tar(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


class ArchivesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self.first, self.second = (self.create_tempdir().full_path for _ in range(2))
        self.places = [self.first, self.second]
        self.content = lzma.compress(b"a text", format=lzma.FORMAT_ALONE)

    def published(self, url=NOWHERE):
        return archives.Published(download.Source(url), "a.txt", archives.unpack_lzma)

    def test_what_lies_in_any_place_is_found(self):
        path = pathlib.Path(self.second, "a.txt")
        path.write_text("mine")
        self.assertEqual(archives.provide("x", self.published(), self.places), str(path))

    def test_an_archive_that_lies_there_is_unpacked_and_kept(self):
        archive = pathlib.Path(self.second, "a.txt.lzma")
        archive.write_bytes(self.content)
        path = archives.provide("x", self.published(), self.places)
        self.assertEqual(pathlib.Path(path).read_text(), "a text")
        self.assertEqual(set(os.listdir(self.second)), {"a.txt", "a.txt.lzma", ".a.txt.lock"})

    def test_a_damaged_archive_is_named_and_leaves_nothing(self):
        archive = pathlib.Path(self.first, "a.txt.lzma")
        for content in (self.content[:-3], b"no archive"):
            archive.write_bytes(content)
            with self.assertRaisesRegex(TaskError, f"^{archive} is damaged .*remove it"):
                archives.find(self.published(), self.places)
            self.assertEqual(set(os.listdir(self.first)), {"a.txt.lzma", ".a.txt.lock"})

    def test_it_is_downloaded_into_the_first_place_and_the_archive_removed(self):
        with FileServer(self.content).running() as server:
            published = self.published(server.url("a.txt.lzma"))
            path = archives.provide("x", published, self.places)
            self.assertEqual(archives.provide("x", published, self.places), path)
        self.assertEqual(path, f"{self.first}/a.txt")
        self.assertLen(server.asked, 1)
        self.assertNotIn("a.txt.lzma", os.listdir(self.first))

    def test_without_a_network_the_line_names_file_facts_and_places(self):
        with self.assertRaises(TaskError) as raised:
            archives.provide("x", self.published(), self.places)
        message = str(raised.exception)
        self.assertStartsWith(
            message, f"x: neither a.txt nor a.txt.lzma is in {self.first} or {self.second}, and it "
        )
        for part in ("no connection to 127.0.0.1:9", NOWHERE, "no published sha256", "task.path"):
            self.assertIn(part, message)
        self.assertNotIn("\n", message)

    def test_lm1b_is_downloaded_once_into_the_cache(self):
        shards = {
            f"it/{place}": f"{place} , a line\n"
            for place in (
                *("training/news.en-00001-of-00100", "heldout/news.en.heldout-00000-of-00050"),
                "heldout/news.en.heldout-00001-of-00050",
            )
        }
        self.enter_context(mock.patch.dict(os.environ, {"TFF_LM_CACHE": self.first}))
        with FileServer(tar(shards)).running() as server:
            published = archives.Published(
                download.Source(server.url("it.tar.gz"), len(server.content)),
                "it",
                archives.unpack_tar,
            )
            self.enter_context(mock.patch.object(lm1b, "PUBLISHED", published))
            fingerprints = {lm1b.CORPUS.fingerprint(CorpusOptions()) for _ in range(2)}
            (block,) = lm1b.CORPUS.read(CorpusOptions()).clients["train"]
        self.assertLen(server.asked, 1)
        self.assertLen(fingerprints, 1)
        self.assertEqual(block[1], ["training/news.en-00001-of-00100, a line"])
        where = f"{self.first}/downloads/it"
        self.assertEqual(lm1b.CORPUS.fingerprint(CorpusOptions(path=where)), *fingerprints)
        self.assertEqual(os.stat(where).st_mode & 0o055, 0o055 & ~_umask())

    def test_lm1b_is_asked_for_by_its_facts(self):
        facts = r"1,792,209,805 bytes, sha256 01ba60381110"
        source = download.Source(NOWHERE, lm1b.PUBLISHED.source.size, lm1b.PUBLISHED.source.sha256)
        published = archives.Published(source, lm1b.PUBLISHED.unpacked, archives.unpack_tar)
        self.enter_context(mock.patch.dict(os.environ, {"TFF_LM_CACHE": self.first}))
        self.enter_context(mock.patch.object(lm1b, "PUBLISHED", published))
        for path, where in ((None, f"{self.first}/downloads"), (self.second, self.second)):
            with self.assertRaisesRegex(TaskError, f"lm1b: neither .* is in {where}.*{facts}"):
                lm1b.CORPUS.fingerprint(CorpusOptions(path=path))

    def test_a_tar_file_that_is_cut_or_no_single_folder(self):
        published = archives.Published(
            download.Source("http://a/it.tar.gz"), "it", archives.unpack_tar
        )
        whole = tar({"it/a": "some text"})
        for content in (whole[:60], gzip.compress(b"no tar"), tar({"a": "1", "b": "2"})):
            pathlib.Path(self.first, "it.tar.gz").write_bytes(content)
            with self.assertRaisesRegex(TaskError, "it.tar.gz is damaged"):
                archives.find(published, [self.first])
            self.assertEqual(set(os.listdir(self.first)), {"it.tar.gz", ".it.lock"})


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    absltest.main()
