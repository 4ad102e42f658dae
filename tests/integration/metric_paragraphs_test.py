"""Each metric that Bursar or one of its programs exposes has a paragraph in docs/prometheus.md."""

import re
import sys
import unittest

sys.dont_write_bytecode = True

from exposed_metrics import ROOT, named_in_sources, shown_by
from statsd_process import StatsdProcess

PARAGRAPH = re.compile(r"^- `(bursar_[a-z0-9_]+)`: (\S.{10,})", re.MULTILINE)


class Paragraphs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = (ROOT / "docs" / "prometheus.md").read_text(encoding="utf-8")
        cls.explained = [name for name, _ in PARAGRAPH.findall(cls.page)]

    def test_are_there_for_what_a_running_program_shows(self):
        process = self.enterContext(StatsdProcess("--memory-limit", "256MiB"))
        shown = shown_by(process)
        self.assertGreater(len(shown), 40)
        self.assertEqual(set(), shown - set(self.explained))

    def test_are_there_for_what_any_program_could_show(self):
        named = named_in_sources()
        self.assertGreater(len(named), 40)
        self.assertEqual(set(), named - set(self.explained))

    def test_are_there_for_nothing_else(self):
        self.assertEqual(set(), set(self.explained) - named_in_sources())

    def test_are_there_once(self):
        self.assertEqual(sorted(set(self.explained)), sorted(self.explained))

    def test_are_there_for_each_rule_and_alert(self):
        rules = (ROOT / "deploy" / "prometheus" / "bursar.rules.yml").read_text(encoding="utf-8")
        for name in re.findall(r"- (?:alert|record): (\S+)", rules):
            self.assertIn(f"`{name}`", self.page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
