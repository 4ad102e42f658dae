"""A fleet is Prometheus's job: a real one scrapes three instances and tells which component on which holds most."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True

import needs
from exposed_metrics import ROOT
from statsd_process import PATIENCE_SECONDS, Failure, StatsdProcess, until

INSTANCES = 3
SERIES = 4000


def prometheus():
    found = shutil.which("prometheus") or os.environ.get("BURSAR_PROMETHEUS", "")
    return found if Path(found).is_file() else None


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Prometheus:
    """One Prometheus on loopback, which scrapes `targets` each 200 ms while the `with` lasts."""

    def __init__(self, targets):
        self.targets = targets

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._log = folder / "log"
        # JSON is YAML, too.
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
            "rule_files": [str(ROOT / "deploy" / "prometheus" / "bursar.rules.yml")],
            "scrape_configs": [{"job_name": "bursar", "static_configs": [{"targets": self.targets}]}],
        }), encoding="utf-8")
        self._port = free_port()
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [prometheus(), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def ask(self, query):
        """[(labels, value)], nothing while it does not answer yet."""
        if self._process.poll() is not None:
            raise Failure(f"prometheus ended with {self._process.returncode}:\n{self._log.read_text(errors='replace')}")
        address = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
                found = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return []
        return [(sample["metric"], float(sample["value"][1])) for sample in found]


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.instances = [cls.enterClassContext(StatsdProcess("--memory-limit", "256MiB")) for _ in range(INSTANCES)]
        cls.targets = [f"127.0.0.1:{instance.http_port}" for instance in cls.instances]
        # The second has the most to hold, the others next to nothing.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect(("127.0.0.1", cls.instances[1].tcp_port))
            for number in range(SERIES):
                client.sendall(b"fleet.requests:1|c|#path:/a/path/that/takes/memory/%d\n" % number)
        cls.instances[1].metrics_after("tcp", SERIES)
        cls.prometheus = cls.enterClassContext(Prometheus(cls.targets))
        until(lambda: len(cls.prometheus.ask("bursar_statsd_contexts")) == INSTANCES, "a scrape of each instance")

    def test_tells_which_component_on_which_instance_holds_most(self):
        [(labels, value)] = self.prometheus.ask("topk(1, bursar_group_live_bytes)")
        self.assertEqual((self.targets[1], "topology.transforms.aggregate"), (labels["instance"], labels["group"]))
        self.assertEqual(self.instances[1].metrics().value("bursar_group_live_bytes", group="topology.transforms.aggregate"),
                         value)

    def test_sees_all_instances(self):
        up = {labels["instance"]: value for labels, value in self.prometheus.ask("up")}
        self.assertEqual(dict.fromkeys(self.targets, 1.0), up)

    def test_records_by_the_rules(self):
        recorded = "count(count by (instance) (bursar:component_limit:ratio))"
        until(lambda: [value for _, value in self.prometheus.ask(recorded)] == [INSTANCES], "the rules of each instance")
        [(labels, _)] = self.prometheus.ask("topk(1, bursar:component_live_bytes)")
        self.assertEqual((self.targets[1], "topology.transforms.aggregate"), (labels["instance"], labels["component"]))
        self.assertEqual([], self.prometheus.ask("ALERTS{alertstate='firing'}"))


if __name__ == "__main__":
    if prometheus() is None:
        needs.lacking("there is no prometheus")
    if os.environ.get("BURSAR_EXPECT_TRACKING", "1") != "1":
        print("skipped: this build tracks no memory, so no component holds any")
        sys.exit(needs.SKIPPED)
    unittest.main(verbosity=2)
