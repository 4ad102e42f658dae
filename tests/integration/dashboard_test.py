"""The dashboard for Grafana and the rules for Prometheus ask for what bursar-statsd exposes, and for nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from exposed_metrics import ROOT, shown_by
from statsd_process import PATIENCE_SECONDS, StatsdProcess

METRIC = re.compile(r"\bbursar_[a-z0-9_]+")
DASHBOARD = ROOT / "deploy" / "grafana" / "bursar.json"
RULES = ROOT / "deploy" / "prometheus" / "bursar.rules.yml"
# What Grafana puts in for its own variables.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$job": ".*", "$instance": ".*"}


def dashboard():
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


class AgainstARunningProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        process = cls.enterClassContext(StatsdProcess("--memory-limit", "256MiB"))
        cls.exposed = shown_by(process)
        # The control group's figure is not there on every machine.
        cls.askable = cls.exposed | {"bursar_cgroup_working_set_bytes"}

    def test_dashboard_asks_for_what_is_exposed(self):
        asked = set(METRIC.findall("\n".join(queries())))
        self.assertGreater(len(asked), 20)
        self.assertEqual(set(), asked - self.askable)

    def test_its_variables_do_too(self):
        variables = dashboard()["templating"]["list"]
        asked = set(METRIC.findall(json.dumps(variables)))
        self.assertEqual({"bursar_process_resident_bytes"}, asked)
        self.assertLessEqual(asked, self.exposed)

    def test_rules_ask_for_what_is_exposed(self):
        asked = set(METRIC.findall(RULES.read_text(encoding="utf-8")))
        self.assertGreater(len(asked), 8)
        self.assertEqual(set(), asked - self.askable)

    def test_dashboard_shows_every_figure_of_a_group(self):
        groups = {name for name in self.exposed if name.startswith("bursar_group_")}
        shown = set(METRIC.findall("\n".join(queries())))
        # Bytes released are those allocated less those live.
        self.assertEqual({"bursar_group_deallocated_bytes_total"}, groups - shown)


class Dashboard(unittest.TestCase):
    def test_has_panels_that_each_say_what_they_show(self):
        for panel in panels():
            self.assertTrue(panel["title"] and panel["description"].endswith("."), panel["title"])
            self.assertTrue(panel["targets"], panel["title"])
            self.assertEqual("${datasource}", panel["datasource"]["uid"], panel["title"])

    def test_has_one_number_a_panel(self):
        numbers = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_has_panels_that_do_not_overlap(self):
        taken = set()
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def test_lets_one_choose_jobs_and_instances(self):
        for query in queries():
            for selector in re.findall(r"bursar_[a-z0-9_]+(\{[^}]*\})?", query):
                self.assertEqual('{job=~"$job",instance=~"$instance"}', selector, query)

    def test_has_queries_that_prometheus_can_read(self):
        promtool = shutil.which("promtool") or os.environ.get("BURSAR_PROMTOOL", "")
        if not Path(promtool).is_file():
            if os.environ.get("CI"):
                self.fail("there is no promtool; `scripts/install-dependencies test` installs it")
            self.skipTest("there is no promtool; `scripts/install-dependencies test` installs it")
        rules = "groups:\n- name: dashboard\n  rules:\n"
        for number, query in enumerate(queries()):
            for variable, value in VARIABLES.items():
                query = query.replace(variable, value)
            rules += f"  - record: query:{number}\n    expr: {json.dumps(query)}\n"
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            file.write(rules)
            file.flush()
            done = subprocess.run([promtool, "check", "rules", file.name], capture_output=True, text=True,
                                  timeout=PATIENCE_SECONDS)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn(f"{len(queries())} rules found", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
