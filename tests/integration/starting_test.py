"""bursar-statsd starts where it can, refuses with one clear line where it should, and ends as asked."""

import os
import re
import signal
import socket
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True

from statsd_process import PATIENCE_SECONDS, StatsdProcess, environment

LOOPBACK = {"--udp": "127.0.0.1:0", "--http": "127.0.0.1:0"}
# Less than what the components declare to need at least.
TOO_SMALL = "64KiB"


def start(*flags, **changes):
    """Runs the program to its end, for starts that should fail."""
    addresses = [word for flag, address in LOOPBACK.items() if flag not in flags for word in (flag, address)]
    return subprocess.run([os.environ["BURSAR_STATSD"], *addresses, *flags], capture_output=True, text=True,
                          env=environment(**changes), timeout=PATIENCE_SECONDS)


class Refusals(unittest.TestCase):
    def assert_refused(self, done, *words):
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertEqual("", done.stdout)
        complaints = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
        self.assertEqual(1, len(complaints), done.stderr)
        for word in words:
            self.assertIn(word, complaints[0])

    def test_strict_start_under_too_small_a_limit_tells_the_numbers(self):
        done = start("--memory-limit", TOO_SMALL, "--memory-slop-factor", "0.25", "--memory-mode", "strict")
        self.assert_refused(done, "48 KiB")
        needed = re.search(r"total +([\d.]+ [KMG]iB)", done.stderr)
        self.assertIsNotNone(needed, done.stderr)
        self.assertIn(needed.group(1), done.stderr.splitlines()[-1])

    def test_strict_start_by_the_environment_does_so_too(self):
        done = start(BURSAR_MEMORY_LIMIT=TOO_SMALL, BURSAR_MEMORY_SLOP_FACTOR="0.25", BURSAR_MEMORY_MODE="strict")
        self.assert_refused(done, "48 KiB")

    def test_unknown_flag(self):
        self.assert_refused(start("--frobnicate"), "--frobnicate")

    def test_value_that_is_none(self):
        self.assert_refused(start("--memory-limit", "plenty"), "plenty")
        self.assert_refused(start(BURSAR_MEMORY_MODE="harsh"), "harsh")

    def test_port_in_use(self):
        for flag, kind in (("--udp", socket.SOCK_DGRAM), ("--tcp", socket.SOCK_STREAM), ("--http", socket.SOCK_STREAM)):
            with self.subTest(flag), socket.socket(socket.AF_INET, kind) as taken:
                taken.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                address = f"127.0.0.1:{taken.getsockname()[1]}"
                self.assert_refused(start(flag, address), address)

    def test_socket_path_that_cannot_be_written(self):
        self.assert_refused(start("--unix", "/nowhere/statsd.sock"), "/nowhere/statsd.sock")


class Starts(unittest.TestCase):
    def test_permissive_start_under_too_small_a_limit_warns_and_serves(self):
        with StatsdProcess("--memory-limit", TOO_SMALL, "--limiter", "off") as process:
            self.assertEqual(200, process.get("/healthz")[0])
            self.assertRegex(process.errors, r"warning .*48 KiB")
            self.assertEqual(0, process.stop())

    def test_disabled_start_does_not_look_at_the_limit(self):
        with StatsdProcess("--memory-limit", TOO_SMALL, "--memory-mode", "disabled") as process:
            self.assertEqual(200, process.get("/healthz")[0])
            self.assertNotIn("warning", process.errors)

    def test_strict_start_under_a_limit_that_fits_serves(self):
        with StatsdProcess("--memory-limit", "256MiB", "--memory-mode", "strict") as process:
            self.assertEqual(200, process.get("/readyz")[0])

    def test_either_signal_ends_it_with_what_it_had_received(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how), StatsdProcess() as process:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    for _ in range(10):
                        client.sendto(b"last.words:1|c", ("127.0.0.1", process.udp_port))
                self.assertEqual(0, process.stop(how))
                self.assertEqual(10, process.summary()["udp"]["metrics"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
