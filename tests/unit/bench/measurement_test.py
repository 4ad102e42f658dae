"""What bench/compare.py concludes from runs is what they say."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench"))

from measurement import Run, Series, in_readable_units, markdown, ratio, run_of, spread


def report(**changes):
    run = {"name": "Work", "run_type": "iteration", "threads": 1, "iterations": 10, "real_time": 10.0, "cpu_time": 10.0,
           "time_unit": "ns"}
    return {"benchmarks": [run | changes]}


def series(*nanos, occupancy=1.0):
    return Series([Run(value, occupancy, {}) for value in nanos])


class RunOf(unittest.TestCase):
    def test_time_is_told_in_nanoseconds(self):
        self.assertEqual(2500.0, run_of(report(cpu_time=2.5, real_time=2.5, time_unit="us")).nanos)

    def test_thread_that_had_its_processor_is_undisturbed(self):
        self.assertFalse(run_of(report(cpu_time=9.9)).disturbed)

    def test_thread_that_shared_its_processor_is_disturbed(self):
        self.assertTrue(run_of(report(cpu_time=9.0)).disturbed)

    def test_occupancy_of_two_threads_is_that_of_both(self):
        self.assertEqual(1.0, run_of(report(threads=2, real_time=5.0)).occupancy)
        self.assertTrue(run_of(report(threads=2, real_time=10.0)).disturbed)

    def test_counters_are_kept(self):
        self.assertEqual({"resident_bytes": 5.0}, run_of(report(resident_bytes=5.0)).counters)

    def test_work_that_the_design_cannot_do_has_no_run(self):
        self.assertIsNone(run_of(report(error_occurred=True)))

    def test_filter_that_finds_nothing_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "expected one run"):
            run_of({"benchmarks": []})


class Figures(unittest.TestCase):
    def test_one_run_that_went_astray_does_not_count(self):
        self.assertEqual(10.0, series(10.0, 9.0, 500.0).nanos)

    def test_disturbed_runs_are_left_out(self):
        mixed = Series([Run(10.0, 1.0, {}), Run(99.0, 0.5, {}), Run(12.0, 1.0, {})])
        self.assertEqual(11.0, mixed.nanos)
        self.assertFalse(mixed.was_disturbed)

    def test_where_all_runs_were_disturbed_they_are_used_and_it_is_said(self):
        disturbed = series(10.0, 12.0, 14.0, occupancy=0.5)
        self.assertEqual(12.0, disturbed.nanos)
        self.assertTrue(disturbed.was_disturbed)

    def test_ratio_is_that_of_the_medians(self):
        self.assertEqual(1.5, ratio(series(15.0, 15.0, 99.0), series(10.0, 10.0, 1.0)))

    def test_spread_of_equal_runs_is_nothing(self):
        self.assertEqual(0.0, spread(series(10.0, 10.0), series(10.0, 10.0)))

    def test_spread_is_that_of_the_middle_half(self):
        self.assertAlmostEqual(0.1, spread(series(10.0, 11.0, 1.0, 9.0), series(10.0, 10.0, 99.0, 9.0)))


class Text(unittest.TestCase):
    def test_times_have_readable_units(self):
        self.assertEqual("6.93 ns", in_readable_units(6.93))
        self.assertEqual("28.4 ns", in_readable_units(28.44))
        self.assertEqual("3.9 us", in_readable_units(3900))
        self.assertEqual("12.5 ms", in_readable_units(12.5e6))
        self.assertEqual("2 s", in_readable_units(2e9))

    def test_table_is_markdown(self):
        self.assertEqual("| a | b |\n| --- | ---: |\n| x | 1 |", markdown(["a", "b"], [["x", "1"]]))


if __name__ == "__main__":
    unittest.main()
