"""Runs bursar-statsd as its users do, on free loopback ports, and reads what it shows."""

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

from exposition import Exposition

# How long anything may take that should take a moment: only a program that hangs comes to it.
PATIENCE_SECONDS = 60


class Failure(AssertionError):
    """The program did not do what it should."""


def until(condition, what):
    """Asks again and again until `condition()` is true, and returns what it answered."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure(f"waited {PATIENCE_SECONDS} s for {what}")
        time.sleep(0.01)


def environment(**changes):
    """The caller's, without what would change how the programs and clients behave."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("BURSAR_", "DD_", "DATADOG_"))}
    return kept | changes


class StatsdProcess:
    """One bursar-statsd, which runs while the `with` lasts that it is used in."""

    def __init__(self, *flags, cgroup=None, **environment_changes):
        self.flags = flags
        self.cgroup = cgroup
        self.environment = environment(**environment_changes)

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.unix_path = str(folder / "statsd.sock")
        self._output = folder / "output"
        self._errors = folder / "errors"
        self._summary = folder / "summary"
        command = [os.environ["BURSAR_STATSD"], "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--unix", self.unix_path,
                   "--http", "127.0.0.1:0", "--summary-file", str(self._summary), *self.flags]
        with open(self._output, "wb") as output, open(self._errors, "wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                             env=self.environment,
                                             preexec_fn=self.cgroup.enter if self.cgroup else None)
        try:
            self._read_ports(until(self._listening_line, "the line that tells the ports"))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    @property
    def pid(self):
        return self._process.pid

    @property
    def output(self):
        return self._output.read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self):
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def summary(self):
        """What it wrote at its end."""
        return json.loads(self._summary.read_text(encoding="utf-8"))

    def _listening_line(self):
        if self._process.poll() is not None:
            raise Failure(f"bursar-statsd ended with {self._process.returncode}:\n{self.errors}")
        found = re.search(r"^listening (.*)\n", self.output, re.MULTILINE)
        return found and found.group(1)

    def _read_ports(self, line):
        places = dict(word.split("=", 1) for word in line.split())
        self.udp_port = int(places["udp"].rsplit(":", 1)[1])
        self.tcp_port = int(places["tcp"].rsplit(":", 1)[1])
        self.http_port = urllib.parse.urlsplit(places["http"]).port

    def get(self, target, accept="text/plain"):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", target, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8")
        finally:
            connection.close()

    def metrics_text(self, accept="text/plain"):
        status, text = self.get("/metrics", accept)
        if status != 200:
            raise Failure(f"GET /metrics answered {status}: {text}")
        return text

    def metrics(self):
        return Exposition(self.metrics_text())

    def metrics_after(self, source, lines):
        """What /metrics shows once `source` has received `lines` lines."""
        seen = {}

        def received():
            seen["metrics"] = self.metrics()
            return seen["metrics"].value("bursar_statsd_lines_total", source=source) >= lines

        try:
            until(received, f"{lines} lines from {source}")
        except Failure as failure:
            count = seen["metrics"].value("bursar_statsd_lines_total", source=source)
            raise Failure(f"{failure}; there were {count:.0f}\n{self.errors}") from None
        return seen["metrics"]

    def wait(self):
        """Waits until it ends by itself, and returns its exit code: that of a signal is negative."""
        return self._process.wait(timeout=PATIENCE_SECONDS)

    def stop(self, how=signal.SIGTERM):
        """Asks it to end as an operator does, and returns its exit code."""
        self._process.send_signal(how)
        if os.environ.get("BURSAR_EXPECT_TRACKING") == "0":
            # ThreadSanitizer now and then loses a signal that comes while the program computes.
            try:
                return self._process.wait(timeout=PATIENCE_SECONDS / 3)
            except subprocess.TimeoutExpired:
                self._process.send_signal(how)
        return self._process.wait(timeout=PATIENCE_SECONDS)

    def _end(self):
        if self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()
