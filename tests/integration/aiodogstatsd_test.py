"""What the Python client aiodogstatsd sends is on /metrics, value by value."""

import asyncio
import sys
import unittest

sys.dont_write_bytecode = True

import needs

try:
    import aiodogstatsd
except ImportError:
    aiodogstatsd = None

from statsd_process import StatsdProcess


class Sender:
    """Calls the client's methods, and counts."""

    def __init__(self, client):
        self._client = client
        self.lines = 0

    def __getattr__(self, method):
        def call(*args, **kwargs):
            getattr(self._client, method)(*args, **kwargs)
            self.lines += 1

        return call


async def send(port):
    client = aiodogstatsd.Client(host="127.0.0.1", port=port, namespace="farm", constant_tags={"env": "test"})
    async with client:
        sender = Sender(client)
        for i in range(90):
            sender.increment("eggs", tags={"coop": f"c{i % 3}"})
        sender.increment("eggs", value=10, tags={"coop": "c0"})
        sender.gauge("temperature", value=-4.5)
        sender.gauge("hens", value=12, tags={"coop": "c1"})
        for i in range(1, 101):
            sender.histogram("weight", value=i)
            sender.distribution("yield.per.hen", value=i / 4)
            sender.timing("milking", value=i * 2, tags={"breed": "brown swiss"})
        return sender.lines


class AioDogStatsd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = cls.enterClassContext(StatsdProcess())
        cls.lines = asyncio.run(send(cls.process.udp_port))
        cls.metrics = cls.process.metrics_after("udp", cls.lines)

    def value(self, name, **labels):
        return self.metrics.value(name, env="test", **labels)

    def test_counters_are_summed_by_their_tags(self):
        self.assertEqual(40, self.value("farm_eggs", coop="c0"))
        self.assertEqual(30, self.value("farm_eggs", coop="c1"))
        self.assertEqual(30, self.value("farm_eggs", coop="c2"))

    def test_gauges_have_their_values(self):
        # Without a value to go from, a sign is a step from 0.
        self.assertEqual(-4.5, self.value("farm_temperature"))
        self.assertEqual(12, self.value("farm_hens", coop="c1"))

    def assert_summary(self, name, total, median, **labels):
        self.assertEqual("summary", self.metrics.types[name])
        self.assertEqual(100, self.value(name + "_count", **labels))
        self.assertEqual(total, self.value(name + "_sum", **labels))
        self.assertAlmostEqual(median, self.value(name, quantile="0.5", **labels), delta=median * 0.03)

    def test_histograms_distributions_and_timers_are_summaries(self):
        self.assert_summary("farm_weight", 5050, 50)
        self.assert_summary("farm_yield_per_hen", 1262.5, 12.5)
        self.assert_summary("farm_milking", 10100, 100, breed="brown swiss")

    def test_every_line_is_accounted_for(self):
        self.assertEqual(self.lines, self.metrics.value("bursar_statsd_metrics_total", source="udp"))
        self.assertEqual(self.lines, self.metrics.value("bursar_statsd_lines_total", source="udp"))


if __name__ == "__main__":
    if aiodogstatsd is None:
        needs.lacking(f"{sys.executable} finds no module aiodogstatsd")
    unittest.main(verbosity=2)
