"""What bursar-statsd says of its CPU time under load is what the kernel says of the process."""

import os
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from statsd_process import PATIENCE_SECONDS, StatsdProcess, environment

LOAD_SECONDS = 10
TOLERANCE = 0.01


def kernel_cpu_seconds(pid):
    """Of all threads that there are. bursar-statsd starts none after its start, and none ends before it does."""
    nanos = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        nanos += int((thread / "schedstat").read_text().split()[0])
    return nanos / 1e9


def cpu_column(drawing):
    """Label and percent of a core of each row that shows one."""
    header = next(line for line in drawing if "cpu %" in line)
    end = header.index("cpu %") + len("cpu %")
    rows = []
    for line in drawing[drawing.index(header) + 1:]:
        figure = line[end - len("cpu %") - 1:end].strip()
        if re.fullmatch(r"\d+\.\d", figure):
            rows.append((line.split()[0], float(figure)))
    return rows


class CpuAccount(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with StatsdProcess("--table") as process:
            blast = subprocess.Popen([os.environ["STATSD_BLAST"], "--target", f"tcp://127.0.0.1:{process.tcp_port}",
                                      "--rate", "0", "--duration", str(LOAD_SECONDS + 3)],
                                     stdout=subprocess.DEVNULL, env=environment())
            try:
                time.sleep(1)
                cls.first = cls.read(process)
                time.sleep(LOAD_SECONDS)
                cls.last = cls.read(process)
            finally:
                blast.terminate()
                blast.wait(timeout=PATIENCE_SECONDS)
            process.stop()
            cls.drawings = [drawing.splitlines() for drawing in re.split(r"(?m)^lines ", process.output)[1:]]

    @staticmethod
    def read(process):
        before = kernel_cpu_seconds(process.pid)
        metrics = process.metrics()
        after = kernel_cpu_seconds(process.pid)
        return (before + after) / 2, sum(metrics.by_label("bursar_group_cpu_seconds_total", "group").values())

    def test_groups_add_up_to_what_the_kernel_says_over_ten_seconds(self):
        kernel = self.last[0] - self.first[0]
        groups = self.last[1] - self.first[1]
        print(f"\nkernel {kernel:.3f} s, groups {groups:.3f} s: {100 * (groups / kernel - 1):+.2f} %", file=sys.stderr)
        self.assertGreater(kernel, 0.5, "there was no load to speak of")
        self.assertAlmostEqual(groups, kernel, delta=TOLERANCE * kernel)

    def test_the_tables_column_adds_up_to_what_the_kernel_says_of_the_process(self):
        shown, process = 0.0, 0.0
        # The first drawing has nothing to compare with; the last one is of the end.
        for drawing in self.drawings[1:-1]:
            rows = cpu_column(drawing)
            label, total = rows.pop()
            self.assertEqual("total", label)
            process += total
            shown += sum(percent for row, percent in rows if row != "unattributed")
        self.assertGreaterEqual(len(self.drawings), LOAD_SECONDS)
        self.assertGreater(process, 50, "there was no load to speak of")
        rounding = 0.05 * sum(len(cpu_column(drawing)) for drawing in self.drawings)
        self.assertAlmostEqual(shown, process, delta=TOLERANCE * process + rounding)


if __name__ == "__main__":
    unittest.main(verbosity=2)
