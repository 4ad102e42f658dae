"""What the DogStatsD client hot-shots sends is on /metrics, value by value."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import needs
from statsd_process import PATIENCE_SECONDS, StatsdProcess, environment

CLIENT = Path(__file__).with_name("hot_shots_client.js")


def send(protocol, port):
    """Lets the client run, and returns how many lines it sent."""
    modules = os.environ["BURSAR_NODE_MODULES"]
    done = subprocess.run(["node", str(CLIENT), protocol, str(port)], capture_output=True, text=True,
                          env=environment(NODE_PATH=modules), timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise AssertionError(f"the client failed: {done.stderr}")
    return int(done.stdout)


class HotShots:
    """The claims, which hold over each transport."""

    @classmethod
    def setUpClass(cls):
        cls.process = cls.enterClassContext(StatsdProcess())
        port = cls.process.udp_port if cls.source == "udp" else cls.process.tcp_port
        cls.lines = send(cls.source, port)
        cls.metrics = cls.process.metrics_after(cls.source, cls.lines)

    def value(self, name, **labels):
        return self.metrics.value(name, env="test", **labels)

    def test_counters_are_summed_by_their_tags(self):
        self.assertEqual(25, self.value("shop_orders", kind="gift"))
        self.assertEqual(75, self.value("shop_orders", kind="plain"))
        self.assertEqual(2.5, self.value("shop_orders", kind="plain", urgent="true"))
        self.assertEqual("counter", self.metrics.types["shop_orders"])

    def test_sampled_counter_is_scaled_up(self):
        self.assertEqual(40, self.value("shop_visits"))

    def test_gauge_has_its_last_value_and_moves_by_deltas(self):
        self.assertEqual(21.5, self.value("shop_queue_depth"))
        self.assertEqual(7.5, self.value("shop_balance", account='a/b "c"'))
        self.assertEqual("gauge", self.metrics.types["shop_balance"])

    def test_set_counts_what_is_different(self):
        self.assertEqual(20, self.value("shop_users"))

    def assert_summary(self, name, count, total, median, **labels):
        self.assertEqual("summary", self.metrics.types[name])
        self.assertEqual(count, self.value(name + "_count", **labels))
        self.assertEqual(total, self.value(name + "_sum", **labels))
        self.assertAlmostEqual(median, self.value(name, quantile="0.5", **labels), delta=median * 0.03)

    def test_timers_histograms_and_distributions_are_summaries(self):
        self.assert_summary("shop_request_time", 100, 5050, 50, path="/buy")
        self.assert_summary("shop_basket_size", 100, 2525, 25)
        self.assert_summary("shop_price", 100, 50500, 500)

    def test_events_and_service_checks_are_counted(self):
        self.assertEqual(1, self.metrics.value("bursar_statsd_events_total", source=self.source))
        self.assertEqual(1, self.metrics.value("bursar_statsd_service_checks_total", source=self.source))

    def test_every_line_is_accounted_for(self):
        self.assertEqual(self.lines, self.metrics.value("bursar_statsd_lines_total", source=self.source))
        dropped = {labels: value for (name, labels), value in self.metrics.samples.items()
                   if name == "bursar_statsd_lines_dropped_total" and value > 0}
        # A counter of Prometheus cannot go back, so a decrement finds no place.
        self.assertEqual({frozenset({("source", self.source), ("reason", "negative_counter")}): 1}, dropped)
        self.assertEqual(self.lines - 3, self.metrics.value("bursar_statsd_metrics_total", source=self.source))


class OverUdp(HotShots, unittest.TestCase):
    source = "udp"

    def test_packets_held_several_lines(self):
        self.assertLess(self.metrics.value("bursar_statsd_packets_total", source="udp"), self.lines / 10)


class OverTcp(HotShots, unittest.TestCase):
    source = "tcp"


if __name__ == "__main__":
    if shutil.which("node") is None:
        needs.lacking("there is no node")
    if not (Path(os.environ["BURSAR_NODE_MODULES"]) / "hot-shots").is_dir():
        needs.lacking("the DogStatsD client hot-shots is not installed")
    unittest.main(verbosity=2)
