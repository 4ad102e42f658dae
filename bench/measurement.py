"""What the comparison makes of the runs of the benchmark programs."""

import statistics
from typing import NamedTuple

# A thread that had the processor for less than this part of its run shared it with something else.
LEAST_OCCUPANCY = 0.95


class Run(NamedTuple):
    nanos: float  # CPU time of one operation
    occupancy: float  # how much of the wall time its threads had a processor
    counters: dict

    @property
    def disturbed(self):
        return self.occupancy < LEAST_OCCUPANCY


def run_of(report):
    """The one run that Google Benchmark reports as JSON, or None where the design cannot do the work."""
    runs = [run for run in report["benchmarks"] if run.get("run_type", "iteration") == "iteration"]
    if len(runs) != 1:
        raise ValueError(f"expected one run, found {[run['name'] for run in runs]}")
    run = runs[0]
    if run.get("error_occurred"):
        return None
    nanos = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}[run["time_unit"]]
    # Real time is averaged over the threads and CPU time summed up, both divided by the operations of all of them.
    occupancy = run["cpu_time"] / (run["real_time"] * run["threads"])
    known = {"name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions", "repetition_index",
             "threads", "iterations", "real_time", "cpu_time", "time_unit"}
    counters = {key: value for key, value in run.items() if key not in known}
    return Run(run["cpu_time"] * nanos, occupancy, counters)


class Series:
    """The runs of one design at one work."""

    def __init__(self, runs):
        self.runs = runs
        undisturbed = [run for run in runs if not run.disturbed]
        # Two undisturbed runs say more than any number of others; with fewer there is nothing to choose from.
        self.kept = undisturbed if len(undisturbed) >= 2 else list(runs)
        self.was_disturbed = len(undisturbed) < 2

    @property
    def nanos(self):
        return statistics.median(run.nanos for run in self.kept)


def ratio(series, reference):
    return series.nanos / reference.nanos


def spread(first, second):
    """How far two series of the same program are from each other: below it, a ratio says nothing."""
    both = sorted(run.nanos for run in first.kept + second.kept)
    quarter = len(both) // 4
    middle = both[quarter:len(both) - quarter]
    return (middle[-1] - middle[0]) / statistics.median(both)


def in_readable_units(nanos):
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanos >= scale:
            return f"{significant(nanos / scale)} {unit}"
    return f"{significant(nanos)} ns"


def significant(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] + ["---:"] * (len(header) - 1)) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
