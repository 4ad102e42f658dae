"""What is deployed with systemd and Kubernetes is valid, runs, and has the memory that the bounds ask for."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import needs
from statsd_process import PATIENCE_SECONDS, environment

try:
    import yaml
except ImportError:
    yaml = None

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = DEPLOY / "systemd" / "bursar-statsd.service"
MANIFEST = DEPLOY / "kubernetes" / "bursar-statsd.yaml"
PROGRAM = "/usr/bin/bursar-statsd"
MIB = 1024 * 1024
# Where a program stands that a test runs, so that they get in nobody's way.
LOOPBACK = ["--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--duration", "1"]


def run_statsd(*flags):
    done = subprocess.run([os.environ["BURSAR_STATSD"], *flags], capture_output=True, text=True, env=environment(),
                          timeout=PATIENCE_SECONDS)
    return done.returncode, done.stderr


def flags_of(words):
    """Flag and value, however the two are written, without the addresses and what only a trial run has."""
    pairs = dict(zip(*[iter(" ".join(words).replace("=", " ").split())] * 2))
    return {flag: value for flag, value in pairs.items() if flag not in ("--udp", "--http", "--duration", "--memory-limit")}


def unit_text():
    return UNIT.read_text(encoding="utf-8")


def unit_value(key):
    return re.search(rf"^{key}=(.*)$", unit_text(), re.MULTILINE).group(1)


def mebibytes(text):
    return int(re.fullmatch(r"(\d+)Mi?", text).group(1)) * MIB


def command_in(text):
    """The command that a comment gives to print the bounds."""
    return shlex.split(re.search(r"^#   bursar-statsd (.*)$", text, re.MULTILINE).group(1))


class Memory(unittest.TestCase):
    """Limit and requests follow from what the commands in the comments print."""

    def check(self, text, words, limit):
        command = command_in(text)
        flags = flags_of(words)
        self.assertEqual("strict", flags["--memory-mode"])
        slop = float(flags["--memory-slop-factor"])
        # What the comment leaves out is the default.
        self.assertEqual(flags, flags_of(command) | {"--memory-slop-factor": "0.25"})
        code, said = run_statsd(*command)
        self.assertEqual(0, code, said)
        firm = re.search(r"total +\S+ \w+ +(\S+) MiB", said).group(1)
        self.assertIn(f"together: {firm} MiB", text)
        self.assertIn(f"{firm} MiB / (1 - {slop:g}) = ", text)
        self.assertGreaterEqual(limit * (1 - slop), float(firm) * MIB)

        least = int(re.search(r"= (\d+) MiB", text).group(1))
        given = [word for flag, value in flags.items() for word in (flag, value)]
        self.assertEqual(0, run_statsd(*given, "--memory-limit", f"{least}MiB", *LOOPBACK)[0])
        code, said = run_statsd(*given, "--memory-limit", f"{least - 1}MiB", *LOOPBACK)
        self.assertEqual(2, code, said)
        self.assertIn(f"a limit of {least} MiB", said)

    def test_of_the_unit(self):
        self.check(unit_text(), shlex.split(unit_value("ExecStart"))[1:], mebibytes(unit_value("MemoryMax")))

    @unittest.skipIf(yaml is None, "there is no python3-yaml")
    def test_of_the_manifest(self):
        container = statsd_container()
        resources = container["resources"]
        self.assertEqual(resources["limits"]["memory"], resources["requests"]["memory"])
        self.check(MANIFEST.read_text(encoding="utf-8"), container["args"], mebibytes(resources["limits"]["memory"]))


@unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd-analyze here")
class Unit(unittest.TestCase):
    def analyze(self, text, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / UNIT.name
            # The program of this build: that it is there and can be run is checked, too.
            unit.write_text(text.replace(PROGRAM, os.environ["BURSAR_STATSD"]), encoding="utf-8")
            done = subprocess.run(["systemd-analyze", *arguments, str(unit)], capture_output=True, text=True,
                                  timeout=PATIENCE_SECONDS)
        # What systemd says of the machine's other units is not ours.
        return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]

    def test_is_valid(self):
        self.assertEqual((0, []), self.analyze(unit_text(), "verify", "--man=no"))

    def test_with_a_mistake_would_be_found(self):
        _, said = self.analyze(unit_text().replace("MemoryMax=64M", "MemoryMaximum=64M"), "verify", "--man=no")
        self.assertIn("MemoryMaximum", "\n".join(said))

    def test_exposes_little(self):
        """systemd's own measure, from 0 to 10; the threshold is in tenths."""
        code, said = self.analyze(unit_text(), "security", "--offline=true", "--threshold=15", "--no-pager")
        self.assertEqual(0, code, said)
        code, said = self.analyze(unit_text().replace("CapabilityBoundingSet=\n", ""), "security", "--offline=true",
                                  "--threshold=15", "--no-pager")
        self.assertNotEqual(0, code, said)


def documents():
    return list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))


def statsd_container():
    deployment = next(document for document in documents() if document["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]


@unittest.skipIf(yaml is None, "there is no python3-yaml")
class Manifest(unittest.TestCase):
    def setUp(self):
        self.by_kind = {document["kind"]: document for document in documents()}
        self.pod = self.by_kind["Deployment"]["spec"]["template"]

    def test_selects_its_own_pods(self):
        labels = self.pod["metadata"]["labels"]
        self.assertEqual(labels, self.by_kind["Deployment"]["spec"]["selector"]["matchLabels"])
        self.assertEqual(labels, self.by_kind["Service"]["spec"]["selector"])
        self.assertEqual(labels, self.by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"])

    def test_names_the_ports_that_the_program_listens_at(self):
        ports = {port["name"]: port["containerPort"] for port in statsd_container()["ports"]}
        places = dict(argument.split("=") for argument in statsd_container()["args"])
        self.assertEqual(f"0.0.0.0:{ports['statsd']}", places["--udp"])
        self.assertEqual(f"0.0.0.0:{ports['metrics']}", places["--http"])
        self.assertEqual(str(ports["metrics"]), self.pod["metadata"]["annotations"]["prometheus.io/port"])
        self.assertEqual(["statsd"], [port["targetPort"] for port in self.by_kind["Service"]["spec"]["ports"]])

    def test_gives_it_no_rights(self):
        rights = statsd_container()["securityContext"]
        self.assertEqual(["ALL"], rights["capabilities"]["drop"])
        self.assertFalse(rights["allowPrivilegeEscalation"])
        self.assertTrue(rights["readOnlyRootFilesystem"])
        self.assertTrue(self.pod["spec"]["securityContext"]["runAsNonRoot"])
        self.assertFalse(self.pod["spec"]["automountServiceAccountToken"])

    def test_asks_paths_that_there_are(self):
        container = statsd_container()
        self.assertEqual("/healthz", container["livenessProbe"]["httpGet"]["path"])
        self.assertEqual("/readyz", container["readinessProbe"]["httpGet"]["path"])


if __name__ == "__main__":
    if yaml is None and os.environ.get("CI"):
        needs.lacking("there is no Python module yaml")
    unittest.main(verbosity=2)
