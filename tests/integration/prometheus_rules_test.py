"""The rules in deploy/prometheus are valid, and each alert fires when it should and only then."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import needs

PATIENCE_SECONDS = 60
FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
RULES = "bursar.rules.yml"
CASES = "bursar.test.yml"


def promtool():
    found = shutil.which("promtool") or os.environ.get("BURSAR_PROMTOOL", "")
    return found if Path(found).is_file() else None


def run(*arguments, folder=FOLDER):
    done = subprocess.run([promtool(), *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    return done.returncode, done.stdout + done.stderr


def alerts_of(text):
    """{name of an alert: its text in the file}"""
    parts = re.split(r"^ +- alert: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


class Rules(unittest.TestCase):
    def test_are_valid(self):
        code, said = run("check", "rules", "--lint-fatal", RULES)
        self.assertEqual(0, code, said)

    def test_do_what_their_cases_say(self):
        code, said = run("test", "rules", CASES)
        self.assertEqual(0, code, said)

    def test_have_a_case_that_fires_and_one_that_does_not_for_each_alert(self):
        alerts = alerts_of((FOLDER / RULES).read_text(encoding="utf-8"))
        cases = (FOLDER / CASES).read_text(encoding="utf-8")
        self.assertGreaterEqual(len(alerts), 5)
        for alert in alerts:
            self.assertRegex(cases, rf"alertname: {alert}\n +exp_alerts: \[\]\n", f"{alert}: no case in which it is silent")
            self.assertRegex(cases, rf"alertname: {alert}\n +exp_alerts:\n +- exp_labels:", f"{alert}: no case in which it fires")

    def test_say_in_each_alert_where_how_much_and_what_to_do(self):
        for name, text in alerts_of((FOLDER / RULES).read_text(encoding="utf-8")).items():
            self.assertIn("severity:", text, name)
            self.assertIn("summary:", text, name)
            self.assertIn("description:", text, name)
            self.assertIn("$labels.instance", text, name)
            self.assertRegex(text, r"\| humanize|\$value", name)

    def test_would_be_found_wrong(self):
        alerts = (FOLDER / RULES).read_text(encoding="utf-8")
        changes = {
            "ratio > 0.9": "ratio > 0.96",
            "state == 2": "state >= 1",
            "backoff_seconds > 0\n        for: 5m": "backoff_seconds > 0\n        for: 3m",
            "ratio > 1\n": "ratio >= 1\n",
            "[15m]) > 0": "[15m]) > 1",
            "> 1048576": "> 524288",
            "          and bursar:group_entries:rate1h <= 1.05 * (bursar:group_entries:rate1h offset 1h)\n": "",
            "          and bursar:group_allocated_objects:rate1h <= 1.05 * (bursar:group_allocated_objects:rate1h offset 1h)\n": "",
            "> 16777216": "> 1048576",
            "for: 90m": "for: 45m",
        }
        for right, wrong in changes.items():
            self.assertIn(right, alerts)
            with self.subTest(wrong), tempfile.TemporaryDirectory() as folder:
                shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
                (Path(folder) / RULES).write_text(alerts.replace(right, wrong), encoding="utf-8")
                self.assertNotEqual(0, run("test", "rules", CASES, folder=folder)[0])


if __name__ == "__main__":
    if promtool() is None:
        needs.lacking("there is no promtool")
    unittest.main(verbosity=2)
