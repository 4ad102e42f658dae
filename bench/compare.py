#!/usr/bin/env python3
"""Compares no tracking, the common design and ours, also switched off and over mimalloc, in one run.

The programs take turns, work by work, so that what the machine does meanwhile meets all of them alike. A run in which
something else had the processor is repeated, and left out where it was. Untracked runs twice: what its two series differ
by is what a ratio has to exceed to say anything.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True

import measurement


class Work(NamedTuple):
    label: str
    name: str  # as Google Benchmark knows it
    note: str = ""


WORK = (
    Work("64-byte pair, 1 thread", "SmallPair/real_time/threads:1"),
    Work("64-byte pair, 2 threads in one group", "SmallPair/real_time/threads:2"),
    Work("mixed sizes, 1 thread", "MixedSizes/real_time/threads:1"),
    Work("mixed sizes, 2 threads in one group", "MixedSizes/real_time/threads:2"),
    Work("produced on one thread, freed on another", "FreedOnAnotherThread/real_time/threads:2"),
    Work("a vector grown to 16 MiB", "GrowToSixteenMebibytes/real_time"),
    Work("64 MiB of untouched zeros", "UntouchedZeros/real_time"),
    Work("enter and leave a group / two reads of the kernel's thread clock", "EnterAndLeave/real_time"),
    Work("enter and leave for allocations alone, no clock", "EnterAndLeaveWithoutClock/real_time"),
    Work("a snapshot of 1,000 groups, 64 live threads", "SnapshotThousandGroups/real_time"),
)

UNTRACKED, AGAIN, COMMON, OURS = "untracked", "untracked again", "common", "ours"
OFF, OVER_MIMALLOC, MIMALLOC = "ours, off", "ours over mimalloc", "mimalloc alone"
PROGRAMS = {
    UNTRACKED: "allocation_bench_untracked",
    AGAIN: "allocation_bench_untracked",
    COMMON: "allocation_bench_shared_atomics",
    OURS: "allocation_bench_bursar",
    OFF: "allocation_bench_bursar",
    OVER_MIMALLOC: "allocation_bench_bursar",
    MIMALLOC: "allocation_bench_untracked",
}
MIMALLOC_LIBRARY = "libmimalloc.so.2"  # as the dynamic linker finds it
ENVIRONMENT = {
    OFF: {"BURSAR_TRACKING": "off"},
    OVER_MIMALLOC: {"LD_PRELOAD": MIMALLOC_LIBRARY},
    MIMALLOC: {"LD_PRELOAD": MIMALLOC_LIBRARY},
}


class Bench:
    def __init__(self, folder, min_time):
        self.folder = folder
        self.min_time = min_time

    def run(self, design, work):
        command = [str(self.folder / PROGRAMS[design]), f"--benchmark_filter=^{work.name}$", "--benchmark_format=json",
                   f"--benchmark_min_time={self.min_time}"]
        # What a setting of the caller's would do to tracking is not what is compared here.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BURSAR_", "MALLOC_", "LD_"))}
        done = subprocess.run(command, capture_output=True, text=True, env=environment | ENVIRONMENT.get(design, {}),
                              timeout=300)
        if "cannot be preloaded" in done.stderr:
            return None
        if done.returncode != 0 or not done.stdout.strip():
            sys.exit(f"compare.py: {' '.join(command)} ended with {done.returncode}\n{done.stderr}")
        return measurement.run_of(json.loads(done.stdout))


def run_undisturbed(bench, design, work, tries):
    """The first undisturbed run, or the least disturbed one."""
    best = None
    for _ in range(tries):
        run = bench.run(design, work)
        if run is None or not run.disturbed:
            return run
        if best is None or run.occupancy > best.occupancy:
            best = run
    return best


def measure(bench, work, rounds, tries):
    runs = {design: [] for design in PROGRAMS}
    designs = list(PROGRAMS)
    for turn in range(rounds):
        shift = turn % len(designs)
        for design in designs[shift:] + designs[:shift]:
            run = run_undisturbed(bench, design, work, tries)
            if run is not None:
                runs[design].append(run)
    return {design: measurement.Series(kept) for design, kept in runs.items() if kept}


def row_of(work, series):
    disturbed = any(one.was_disturbed for one in series.values())
    cells = [work.label + (" *" if disturbed else "")]
    reference = series.get(UNTRACKED)
    if reference is None:
        cells += ["-"] * 2
    else:
        cells.append(measurement.in_readable_units(reference.nanos))
        again = measurement.ratio(series[AGAIN], reference)
        cells.append(f"{again:.2f} (± {measurement.spread(reference, series[AGAIN]) * 50:.0f} %)")
    for design in (COMMON, OURS, OFF, OVER_MIMALLOC, MIMALLOC):
        if design not in series:
            cells.append("-")
        elif reference is None:
            cells.append(measurement.in_readable_units(series[design].nanos))
        else:
            cells.append(f"{measurement.ratio(series[design], reference):,.2f}")
    return cells


def resident_note(series):
    parts = []
    for design in (UNTRACKED, COMMON, OURS):
        mebibytes = series[design].kept[-1].counters["resident_bytes"] / (1 << 20)
        parts.append(f"{design} {mebibytes:.0f} MiB")
    return "Of the 64 MiB of zeros were resident: " + ", ".join(parts) + "."


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the benchmark programs are, as in build/release/bench")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each program at each work (7)")
    parser.add_argument("--min-time", type=float, default=0.1, help="seconds that a run takes at least (0.1)")
    parser.add_argument("--tries", type=int, default=4, help="how often a disturbed run is repeated (4)")
    parser.add_argument("--only", default="", help="only the work whose label or name contains this")
    arguments = parser.parse_args()
    for program in set(PROGRAMS.values()):
        if not (arguments.folder / program).is_file():
            parser.error(f"{arguments.folder}/{program} is not there; build the target bursar_benchmarks, or run `make bench`")
    return arguments


def main():
    arguments = parse_arguments()
    bench = Bench(arguments.folder, arguments.min_time)
    rows, notes = [], []
    for work in WORK:
        if arguments.only not in work.label and arguments.only not in work.name:
            continue
        print(f"measuring: {work.label}", file=sys.stderr)
        series = measure(bench, work, arguments.rounds, arguments.tries)
        rows.append(row_of(work, series))
        if work.name.startswith("UntouchedZeros"):
            notes.append(resident_note(series))
    if not rows:
        sys.exit(f"compare.py: no work is called `{arguments.only}`; there are: " + ", ".join(work.label for work in WORK))
    if any(row[0].endswith("*") for row in rows):
        notes.append("* Something else had the processor in nearly every run; take these figures with care.")
    header = ("CPU time of one operation / untracked over glibc", "untracked", "against itself", "common design", "ours", "ours, off",
              "ours over mimalloc", "mimalloc alone")
    print(measurement.markdown(header, rows))
    for note in notes:
        print("\n" + note)


if __name__ == "__main__":
    main()
