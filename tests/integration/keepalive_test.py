"""Under a load that the kernel kills it for, in a real control group, a program with the limiter stays alive.

The load on bursar-statsd lasts BURSAR_KEEPALIVE_SECONDS, 15 where that is not set. Each test shows first that the kernel
kills without the limiter: else it would prove nothing.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True

from exposition import Exposition
from memory_cgroup import MemoryCgroup
from statsd_process import PATIENCE_SECONDS, StatsdProcess, environment, until

MIB = 1024 * 1024
LIMIT = 64 * MIB
LOAD_SECONDS = float(os.environ.get("BURSAR_KEEPALIVE_SECONDS", "15"))
TTL_SECONDS = 2
FAR_BEYOND = ("--max-contexts", "100000000", "--context-ttl", str(TTL_SECONDS))
PRESSURE = {"reason": "memory_pressure"}
NORMAL = 0


def blast(target, seconds=0, **options):
    """Starts statsd-blast as fast as it can, each line a new context; 0: without an end."""
    flags = {"rate": 0, "contexts": 0, "duration": seconds} | options
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen([os.environ["STATSD_BLAST"], "--target", target, "--json", *words], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, env=environment())


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


class KnownCounter:
    """A series that was there before the load, counted up by a client of its own while the load lasts. Its name comes first:
    of more series than an answer has room for, the first ones are shown."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.sent = 0
        self._count()

    def _count(self):
        self._socket.sendall(b"a.known.counter:1|c\n")
        self.sent += 1

    def _go_on(self):
        """Often enough that the series does not expire, whatever else the test is busy with."""
        while not self._ending.wait(TTL_SECONDS / 20):
            self._count()

    def start(self):
        self._thread.start()

    def stop(self):
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def close(self):
        self.stop()
        self._socket.close()


class DataPlane(unittest.TestCase):
    def test_without_the_limiter_the_kernel_kills_it(self):
        with MemoryCgroup(LIMIT) as cgroup, \
             StatsdProcess(*FAR_BEYOND, "--memory-mode", "disabled", cgroup=cgroup) as process:
            traffic = blast(f"tcp://127.0.0.1:{process.tcp_port}")
            try:
                self.assertEqual(-signal.SIGKILL, process.wait())
            finally:
                end(traffic)
            self.assertGreaterEqual(cgroup.kills(), 1)

    def test_with_it_it_lives_accounts_for_every_line_and_recovers(self):
        with MemoryCgroup(LIMIT) as cgroup, StatsdProcess(*FAR_BEYOND, cgroup=cgroup) as process:
            known = KnownCounter(process.tcp_port)
            self.addCleanup(known.close)
            process.metrics_after("tcp", 1)
            known.start()
            streams = {"tcp": blast(f"tcp://127.0.0.1:{process.tcp_port}", LOAD_SECONDS),
                       "udp": blast(f"udp://127.0.0.1:{process.udp_port}", LOAD_SECONDS)}
            try:
                ready = self.statuses_while(process, streams.values())
                sent = {name: json.loads(stream.communicate(timeout=PATIENCE_SECONDS)[0])
                        for name, stream in streams.items()}
            finally:
                for stream in streams.values():
                    end(stream)
            self.assertEqual({200, 503}, ready)
            self.assert_accounted_for(process, known, sent)
            self.assert_recovers(process)
            self.assertEqual(0, cgroup.kills())
            peak = cgroup.peak_bytes()
            self.assertLess(peak, LIMIT)
            self.assertEqual(0, process.stop())
        print(f"  {LOAD_SECONDS:.0f} s of load: {sent['tcp']['lines']} lines over TCP, {sent['udp']['packets']} datagrams,"
              f" at most {peak / MIB:.1f} MiB of {LIMIT / MIB:.0f}", flush=True)

    def statuses_while(self, process, streams):
        """What /readyz answered while the load lasted."""
        seen = set()
        while any(stream.poll() is None for stream in streams):
            seen.add(process.get("/readyz")[0])
            time.sleep(0.05)
        return seen

    def assert_accounted_for(self, process, known, sent):
        """By then the contexts of the load may have expired; the known one has not, since it goes on counting until all the
        lines of the load were received."""

        def received(lines):
            text = process.metrics_text()
            found = re.search(r'^bursar_statsd_lines_total\{source="tcp"\} (\d+)$', text, re.MULTILINE)
            return text if int(found.group(1)) >= lines else None

        until(lambda: received(sent["tcp"]["lines"] + known.sent), f"{sent['tcp']['lines']} lines over TCP")
        known.stop()
        lines = sent["tcp"]["lines"] + known.sent
        # Read whole at first: to understand it takes longer than the series lives.
        metrics = Exposition(until(lambda: received(lines), f"{lines} lines over TCP"))
        self.assertEqual(lines, metrics.value("bursar_statsd_lines_total", source="tcp"))
        self.assertEqual(known.sent, metrics.value("a_known_counter"))
        for source in ("tcp", "udp"):
            used = metrics.value("bursar_statsd_metrics_total", source=source)
            refused = metrics.value("bursar_statsd_lines_dropped_total", source=source, **PRESSURE)
            self.assertEqual(metrics.value("bursar_statsd_lines_total", source=source), used + refused)
        self.assertGreater(metrics.value("bursar_statsd_lines_dropped_total", source="tcp", **PRESSURE) +
                           metrics.value("bursar_statsd_lines_dropped_total", source="udp", **PRESSURE), 0)

        def datagrams():
            now = process.metrics()
            return (now.value("bursar_statsd_packets_total", source="udp") +
                    now.value("bursar_statsd_kernel_dropped_datagrams_total", source="udp"))

        until(lambda: datagrams() == sent["udp"]["packets"], f"{sent['udp']['packets']} datagrams to be accounted for")
        self.assertGreater(process.metrics().value("bursar_statsd_kernel_dropped_datagrams_total", source="udp"), 0)

    def assert_recovers(self, process):
        until(lambda: process.metrics().value("bursar_statsd_contexts") == 0, "the contexts to expire")
        empty = time.monotonic()
        until(lambda: process.metrics().value("bursar_limiter_state") == NORMAL, "the limiter to be calm again")
        self.assertLess(time.monotonic() - empty, 5)
        self.assertEqual(200, process.get("/readyz")[0])
        limiter = json.loads(process.get("/resources")[1])["limiter"]
        states = [event["state"] for event in limiter["events"] if event["kind"] == "state_changed"]
        self.assertIn("hard", states)
        self.assertEqual("normal", states[-1])


class ProducerAndConsumer(unittest.TestCase):
    SECONDS = 5

    def run_in(self, limit, **changes):
        with MemoryCgroup(limit) as cgroup:
            done = subprocess.run([os.environ["PRODUCER_CONSUMER"], str(self.SECONDS)], capture_output=True, text=True,
                                  env=environment(**changes), timeout=PATIENCE_SECONDS, preexec_fn=cgroup.enter)
            return done, cgroup.kills()

    def consumed(self, done):
        self.assertEqual(0, done.returncode, done.stderr)
        return int(re.fullmatch(r"consumed (\d+)\n", done.stdout).group(1))

    def test_without_the_limiter_the_kernel_kills_it(self):
        done, kills = self.run_in(LIMIT, BURSAR_MEMORY_MODE="disabled")
        self.assertEqual((-signal.SIGKILL, 1), (done.returncode, kills))

    def test_with_it_it_lives_and_does_as_much_as_with_ten_times_the_memory(self):
        done, kills = self.run_in(LIMIT)
        self.assertEqual(0, kills)
        little = self.consumed(done)
        plenty = self.consumed(self.run_in(10 * LIMIT)[0])
        self.assertAlmostEqual(1, little / plenty, delta=0.1)
        print(f"  {little} items with {LIMIT / MIB:.0f} MiB, {plenty} with {10 * LIMIT / MIB:.0f} MiB", flush=True)


class RetainedBurst(unittest.TestCase):
    def test_pages_that_the_allocator_keeps_do_not_hold_the_program_back_for_ever(self):
        with MemoryCgroup(LIMIT) as cgroup:
            done = subprocess.run([os.environ["RETAINED_BURST"]], capture_output=True, text=True, env=environment(),
                                  timeout=PATIENCE_SECONDS, preexec_fn=cgroup.enter)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertEqual(0, cgroup.kills())
        found = re.fullmatch(r"hard\nnormal after ([\d.]+) s, usage ([\d.]+) of the limit\n", done.stdout)
        self.assertIsNotNone(found, done.stdout)
        seconds, share = map(float, found.groups())
        self.assertLess(seconds, 5)
        # The pages are still there: it is not that they went away.
        self.assertGreater(share, 0.95)
        print(f"  {done.stdout.splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    with MemoryCgroup(LIMIT):
        pass  # skips all where there can be none
    unittest.main(verbosity=2)
