"""The manifests against the code, as far as that is possible without a cluster."""

# bazel: data = //bin:prepare_data //bin:train //bin:worker //deploy

import pathlib
import re

import yaml
from absl.testing import absltest

from tff_lm.config import sections

_ROOT = pathlib.Path(__file__).parents[2]
_FOLDER = _ROOT / "deploy" / "kubernetes"


def _documents() -> list[dict]:
    kustomization = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((_FOLDER / name).read_text())
    ]


class ManifestsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.by_name = {(each["kind"], each["metadata"]["name"]): each for each in _documents()}
        self.workers = self.by_name["StatefulSet", "workers"]["spec"]
        self.run_pod = self.by_name["Job", "run"]["spec"]["template"]
        self.pods = [self.workers["template"], self.run_pod]

    def containers(self):
        for pod in self.pods:
            yield from pod["spec"].get("initContainers", [])
            yield from pod["spec"]["containers"]

    def test_flags_of_the_workers_containers_exist(self):
        pod = self.workers["template"]["spec"]
        for container in (*pod["initContainers"], *pod["containers"]):
            module, *arguments = container["args"]
            source = (_ROOT / f"{module.replace('.', '/')}.py").read_text()
            defined = re.findall(r"flags\.DEFINE_\w+\(\s*\"(\w+)\"", source)
            for argument in arguments:
                self.assertIn(argument.removeprefix("--").partition("=")[0], defined)

    def test_options_of_the_run_exist(self):
        options = list(sections.by_key())
        for argument in self.run_pod["spec"]["containers"][0]["args"]:
            if argument.startswith("--config."):
                self.assertIn(argument.removeprefix("--config.").partition("=")[0], options)

    def test_run_names_every_worker(self):
        addresses = next(
            argument.partition("=")[2].split(",")
            for argument in self.run_pod["spec"]["containers"][0]["args"]
            if "runtime.workers" in argument
        )
        service = self.by_name["Service", self.workers["serviceName"]]
        port = service["spec"]["ports"][0]["port"]
        cores = self.workers["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
        expected = [f"workers-{i}.workers:{port}/{cores}" for i in range(self.workers["replicas"])]
        self.assertEqual(addresses, expected)

    def test_policies_let_the_run_alone_reach_the_tls_port_alone(self):
        policy = self.by_name["NetworkPolicy", "workers"]["spec"]
        labels = self.workers["template"]["metadata"]["labels"]
        self.assertEqual(policy["podSelector"]["matchLabels"], labels)
        (rule,) = policy["ingress"]
        (source,) = rule["from"]
        self.assertEqual(source["podSelector"]["matchLabels"], self.run_pod["metadata"]["labels"])
        (port,) = rule["ports"]
        self.assertIn(
            f"--port={port['port']}", self.workers["template"]["spec"]["containers"][0]["args"]
        )

    def test_nothing_runs_as_root_or_gains_privileges(self):
        for pod in self.pods:
            self.assertTrue(pod["spec"]["securityContext"]["runAsNonRoot"])
        for container in self.containers():
            context = container["securityContext"]
            self.assertFalse(context["allowPrivilegeEscalation"])
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})

    def test_every_mount_has_its_volume_and_every_module_its_file(self):
        for pod in self.pods:
            volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
            for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
                self.assertContainsSubset({m["name"] for m in container["volumeMounts"]}, volumes)
                module = container["args"][0].replace(".", "/")
                self.assertTrue((_ROOT / f"{module}.py").exists(), module)

    def test_readme_hands_each_side_its_own_certificate(self):
        readme = (_ROOT / "deploy" / "README.md").read_text()
        for side, file_name in (("worker", "worker.pem"), ("run", "run.pem")):
            secret = re.search(rf"generic {side}-certificates .*?\n\n", readme, re.DOTALL)
            self.assertIn(file_name, secret[0])
            self.assertIn("ca.pem", secret[0])


class DockerfileTest(absltest.TestCase):
    def test_copies_every_package_and_ends_as_a_user(self):
        text = (_ROOT / "deploy" / "Dockerfile").read_text()
        ignored = (_ROOT / "deploy" / "Dockerfile.dockerignore").read_text()
        for package in ("bin", "compression", "configs", "tasks", "tff_lm"):
            self.assertIn(f"COPY {package} /app/{package}\n", text)
            self.assertIn(f"!{package}\n", ignored)
        self.assertEqual(re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1], "10001:10001")


if __name__ == "__main__":
    absltest.main()
