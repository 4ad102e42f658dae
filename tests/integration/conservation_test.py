"""The accounts of a running bursar-statsd add up, from the outside: lines, bytes, blocks and CPU time."""

import json
import os
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from statsd_process import PATIENCE_SECONDS, StatsdProcess, environment, until

AGGREGATE = "topology.transforms.aggregate"
GROWING = ("bursar_group_allocated_bytes_total", "bursar_group_allocated_objects_total",
           "bursar_group_deallocated_bytes_total", "bursar_group_deallocated_objects_total",
           "bursar_group_cpu_seconds_total")


def blast_command(target, **options):
    flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [os.environ["STATSD_BLAST"], "--target", target, "--json", *flags]


def blast(target, **options):
    """Lets statsd-blast run, and returns its report."""
    done = subprocess.run(blast_command(target, **options), capture_output=True, text=True, env=environment(),
                          timeout=PATIENCE_SECONDS, check=True)
    return json.loads(done.stdout)


def skip_unless_tracked(metrics):
    """Under a sanitizer, which brings a malloc of its own, the program is built without ours."""
    tracked = metrics.value("bursar_allocator_installed") == 1
    if os.environ["BURSAR_EXPECT_TRACKING"] == "1":
        assert tracked, "the program does not track its allocations, and is built to"
    elif not tracked:
        raise unittest.SkipTest("the program is built without the tracked malloc")


class Lines(unittest.TestCase):
    """What was sent is what was received, line by line or, where the kernel drops datagrams, datagram by datagram."""

    def test_over_tcp_every_line_arrives(self):
        with StatsdProcess() as process:
            sent = blast(f"tcp://127.0.0.1:{process.tcp_port}", lines=50000, rate=0, duration=0, contexts=500)
            metrics = process.metrics_after("tcp", sent["lines"])
            self.assertEqual(50000, sent["lines"])
            self.assertEqual(sent["lines"], metrics.value("bursar_statsd_metrics_total", source="tcp"))
            self.assertEqual(sent["bytes"], metrics.value("bursar_statsd_received_bytes_total", source="tcp"))

    def test_over_a_unix_socket_every_line_arrives(self):
        with StatsdProcess() as process:
            sent = blast(f"unix:{process.unix_path}", lines=20000, rate=0, duration=0, contexts=500)
            metrics = process.metrics_after("unix", sent["lines"])
            self.assertEqual(20000, metrics.value("bursar_statsd_metrics_total", source="unix"))
            self.assertEqual(sent["packets"], metrics.value("bursar_statsd_packets_total", source="unix"))

    def test_over_udp_each_datagram_was_received_or_the_kernel_says_that_it_dropped_it(self):
        # A small buffer and no pause: some are dropped. They show with the next datagram that is received.
        with StatsdProcess("--udp-receive-buffer", "8KiB") as process:
            target = f"udp://127.0.0.1:{process.udp_port}"
            sent = blast(target, lines=100000, rate=0, duration=0)
            last = blast(target, lines=1, duration=0)

            def accounted():
                metrics = process.metrics()
                arrived = metrics.value("bursar_statsd_packets_total", source="udp")
                dropped = metrics.value("bursar_statsd_kernel_dropped_datagrams_total", source="udp")
                return arrived + dropped == sent["packets"] + last["packets"]

            until(accounted, f"{sent['packets'] + last['packets']} datagrams to be accounted for")

    def test_summary_at_the_end_accounts_for_every_line(self):
        with StatsdProcess() as process:
            with socket.create_connection(("127.0.0.1", process.tcp_port)) as client:
                client.sendall(b"good:1|c\nbad\nworse:x|c\n_e{5,4}:title|text\n_sc|check|0\nhalf:1|")
            process.metrics_after("tcp", 6)
            self.assertEqual(0, process.stop())
            summary = process.summary()["tcp"]
        self.assertEqual({"lines": 6, "metrics": 1, "events": 1, "service_checks": 1},
                         {key: summary[key] for key in ("lines", "metrics", "events", "service_checks")})
        self.assertEqual(3, sum(summary["dropped"].values()))


class Bytes(unittest.TestCase):
    def send_contexts(self, process, first, count):
        """One counter for each context, over TCP, and waits until it was received."""
        before = process.metrics().value("bursar_statsd_lines_total", source="tcp")
        lines = "".join(f"stock.{i % 7}:1|c|#article:a{i:06}\n" for i in range(first, first + count))
        with socket.create_connection(("127.0.0.1", process.tcp_port)) as client:
            client.sendall(lines.encode())
        return process.metrics_after("tcp", before + count)

    def live(self, metrics, group=AGGREGATE):
        return metrics.value("bursar_group_live_bytes", group=group)

    def test_live_bytes_of_the_aggregator_grow_with_contexts_and_with_nothing_else(self):
        with StatsdProcess("--max-contexts", "4000") as process:
            skip_unless_tracked(process.metrics())
            empty = self.live(process.metrics())
            thousand = self.live(self.send_contexts(process, 0, 1000))
            again = self.live(self.send_contexts(process, 0, 1000))
            three_thousand = self.live(self.send_contexts(process, 1000, 2000))
            self.assertGreater(thousand - empty, 1000 * len("stock_0{article=\"a000000\""))
            self.assertEqual(thousand, again)
            self.assertGreater(three_thousand - again, 1.5 * (thousand - empty))

    def test_contexts_beyond_the_limit_are_dropped_and_take_nothing(self):
        with StatsdProcess("--max-contexts", "1000") as process:
            skip_unless_tracked(process.metrics())
            full = self.send_contexts(process, 0, 1000)
            beyond = self.send_contexts(process, 0, 3000)
            self.assertEqual(self.live(full), self.live(beyond))
            self.assertEqual(2000, beyond.value("bursar_statsd_lines_dropped_total", source="tcp", reason="context_limit"))
            self.assertEqual(2, beyond.value("stock_0", article="a000000"))

    def test_contexts_that_expire_give_their_bytes_back(self):
        with StatsdProcess("--max-contexts", "4000", "--context-ttl", "0.5") as process:
            skip_unless_tracked(process.metrics())
            empty = self.live(process.metrics())
            full = self.live(self.send_contexts(process, 0, 2000))
            until(lambda: process.metrics().value("bursar_statsd_contexts") == 0, "the contexts to expire")
            left = self.live(process.metrics())
            self.assertLess(left - empty, (full - empty) / 4)

    def test_declared_bounds_hold_the_aggregator_at_its_fullest(self):
        with StatsdProcess("--max-contexts", "4000") as process:
            skip_unless_tracked(process.metrics())
            metrics = self.send_contexts(process, 0, 4000)
            limit = sum(metrics.value(f"bursar_component_{bound}_bytes", component=AGGREGATE)
                        for bound in ("minimum_required", "firm_limit"))
            self.assertLessEqual(self.live(metrics), limit)

    def test_status_and_metrics_tell_the_same(self):
        with StatsdProcess() as process:
            self.send_contexts(process, 0, 100)
            status = json.loads(process.get("/memory/status")[1])
            metrics = process.metrics()
            self.assertEqual({"minimum_required_bytes", "firm_limit_bytes", "actual_live_bytes"},
                             {key for component in status.values() for key in component})
            self.assertEqual(sorted(status), list(status))
            self.assertEqual(self.live(metrics), status[AGGREGATE]["actual_live_bytes"])
            for component, figures in status.items():
                for key in ("minimum_required_bytes", "firm_limit_bytes"):
                    self.assertEqual(metrics.value(f"bursar_component_{key}", component=component), figures[key])


class UnderTraffic(unittest.TestCase):
    """One program that is scraped over and over while it works."""

    @classmethod
    def setUpClass(cls):
        cls.scrapes = []
        with StatsdProcess("--context-ttl", "0.2") as process:
            skip_unless_tracked(process.metrics())
            command = blast_command(f"tcp://127.0.0.1:{process.tcp_port}", lines=100000, rate=0, duration=0, contexts=0)
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment()) as traffic:
                while traffic.poll() is None:
                    cls.scrapes.append(process.metrics())
            cls.scrapes.append(process.metrics_after("tcp", 100000))
            cls.run_nanos_before = cls.run_nanos(process.pid)
            cls.scrapes.append(process.metrics())
            cls.run_nanos_after = cls.run_nanos(process.pid)

    @staticmethod
    def run_nanos(pid):
        """What the kernel says that the process's threads have run."""
        return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))

    def test_there_was_work_meanwhile(self):
        self.assertGreater(len(self.scrapes), 2)
        first, last = (scrape.by_label("bursar_group_allocated_objects_total", "group") for scrape in
                       (self.scrapes[0], self.scrapes[-1]))
        self.assertGreater(last[AGGREGATE], first[AGGREGATE])

    def test_every_group_holds_what_it_allocated_less_what_was_released(self):
        for scrape in self.scrapes:
            for unit in ("bytes", "objects"):
                allocated = scrape.by_label(f"bursar_group_allocated_{unit}_total", "group")
                released = scrape.by_label(f"bursar_group_deallocated_{unit}_total", "group")
                live = scrape.by_label(f"bursar_group_live_{unit}", "group")
                self.assertEqual({group: allocated[group] - released[group] for group in allocated}, live)
                self.assertGreaterEqual(min(live.values()), 0)

    def test_no_total_ever_goes_back(self):
        for before, after in zip(self.scrapes, self.scrapes[1:]):
            for name in GROWING:
                earlier, later = (scrape.by_label(name, "group") for scrape in (before, after))
                for group, value in earlier.items():
                    self.assertGreaterEqual(later[group], value, f"{name} of {group}")

    def test_groups_and_the_unattributed_rest_are_the_cpu_time_of_the_process(self):
        last = self.scrapes[-1]
        groups = sum(last.by_label("bursar_group_cpu_seconds_total", "group").values())
        rest = last.value("bursar_cpu_unattributed_seconds_total")
        nanos = (groups + rest) * 1e9
        # The kernel's own figures are brought up to date once a tick.
        tick = 10e6
        self.assertGreaterEqual(nanos, self.run_nanos_before - tick)
        self.assertLessEqual(nanos, self.run_nanos_after + tick)
        self.assertLess(rest, 0.05 * groups)


if __name__ == "__main__":
    unittest.main(verbosity=2)
