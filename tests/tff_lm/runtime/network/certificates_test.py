import pathlib
import shutil
import subprocess

from absl.testing import absltest

from tff_lm.runtime.network import certificates


@absltest.skipIf(shutil.which("openssl") is None, "openssl is not installed.")
class CertificatesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "group"
        certificates.make(self.folder)

    def test_files_and_their_modes(self):
        names = {path.name for path in self.folder.iterdir()}
        self.assertEqual(names, {"ca.pem", "worker.pem", "run.pem"})  # no key that could sign more
        self.assertNotIn("PRIVATE", (self.folder / "ca.pem").read_text())
        for name in ("worker.pem", "run.pem"):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o600)

    def test_each_is_signed_and_named(self):
        for name, host in (("worker", "tff-lm-worker"), ("run", "tff-lm-run")):
            command = ["openssl", "verify", "-CAfile", str(self.folder / "ca.pem")]
            command += ["-verify_hostname", host, str(self.folder / f"{name}.pem")]
            subprocess.run(command, check=True, capture_output=True)

    def test_does_not_overwrite(self):
        with self.assertRaisesRegex(certificates.CertificateError, "name a new folder"):
            certificates.make(self.folder)

    def test_find_names_what_is_missing(self):
        self.assertEqual(certificates.find(self.folder, "run.pem"), self.folder / "run.pem")
        (self.folder / "run.pem").unlink()
        with self.assertRaisesRegex(certificates.CertificateError, "run.pem is missing: make"):
            certificates.find(self.folder, "run.pem")


if __name__ == "__main__":
    absltest.main()
