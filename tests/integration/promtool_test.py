"""Prometheus' own tool finds nothing wrong with what Bursar says of itself, and can read what users sent."""

import os
import shutil
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import needs
from statsd_process import PATIENCE_SECONDS, StatsdProcess

# Names and tags as users have them: to be made valid, colliding, with everything that has to be escaped.
UNRULY = (
    b"http.requests-2xx:1|c|#path:/a\\b,quote:\"x\",empty:,flag",
    b"http.requests_2xx:1|c|#path:/other",
    "größe:3|g|#straße:lang".encode(),
    b"9lives:9|g",
    b"temperature C:1|ms|#le:5,quantile:0.5,__name__:x,host-name:a",
    b"visitors:alice|s",
)


def promtool():
    found = shutil.which("promtool") or os.environ.get("BURSAR_PROMTOOL", "")
    return found if Path(found).is_file() else None


def check(text):
    """What `promtool check metrics` says: its exit code, and its lines."""
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True,
                          timeout=PATIENCE_SECONDS)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def own_families(text):
    return "".join(line + "\n" for line in text.splitlines()
                   if line.startswith(("bursar_", "# HELP bursar_", "# TYPE bursar_")))


class Promtool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = cls.enterClassContext(StatsdProcess("--memory-limit", "256MiB"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for line in UNRULY:
                client.sendto(line, ("127.0.0.1", cls.process.udp_port))
        cls.process.metrics_after("udp", len(UNRULY))
        cls.text = cls.process.metrics_text()

    def test_finds_nothing_in_the_families_of_bursar(self):
        own = own_families(self.text)
        self.assertIn("bursar_group_live_bytes", own)
        self.assertIn("bursar_statsd_lines_total", own)
        self.assertEqual((0, []), check(own))

    def test_can_read_the_families_of_users(self):
        self.assertIn("http_requests_2xx", self.text)
        code, lines = check(self.text)
        # 3: readable, though not named as Prometheus would like it, which is the users' affair.
        self.assertIn(code, (0, 3), lines)
        self.assertEqual([], [line for line in lines if "error" in line or line.startswith("bursar_")])

    def test_names_that_became_the_same_are_counted(self):
        self.assertEqual(1, self.process.metrics().value("bursar_statsd_name_collisions_total"))

    def test_finds_something_where_there_is_something(self):
        code, lines = check("# HELP bursar_wrong A gauge.\n# TYPE bursar_wrong counter\nbursar_wrong 1\n")
        self.assertEqual(3, code)
        self.assertIn("bursar_wrong", lines[0])
        self.assertNotIn(check("bursar_wrong{ 1\n")[0], (0, 3))


if __name__ == "__main__":
    if promtool() is None:
        needs.lacking("there is no promtool")
    unittest.main(verbosity=2)
