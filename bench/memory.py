#!/usr/bin/env python3
"""Compares how much resident memory a block takes with tracking and without, over glibc and other allocators."""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import measurement

# As the dynamic linker finds them.
UPSTREAMS = {"glibc": "", "jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2",
             "tcmalloc": "libtcmalloc_minimal.so.4"}
UNTRACKED, TRACKED = "memory_bench_untracked", "memory_bench_bursar"
# Enough for the noise of whole pages and spans to be small.
TOTAL_BYTES = 96 << 20


class Bench:
    def __init__(self, folder, rounds):
        self.folder = folder
        self.rounds = rounds

    def run(self, program, upstream, first, last, alignment, count):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BURSAR_", "MALLOC_", "LD_"))}
        if UPSTREAMS[upstream]:
            environment["LD_PRELOAD"] = UPSTREAMS[upstream]
        command = [str(self.folder / program), str(first), str(last), str(alignment), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        if done.returncode != 0 or "cannot be preloaded" in done.stderr:
            return None
        return float(done.stdout)

    def both(self, upstream, first, last, alignment, count):
        """Bytes a block without tracking and with, as medians; None where the allocator is not there."""
        taken = {UNTRACKED: [], TRACKED: []}
        for _ in range(self.rounds):
            for program, runs in taken.items():
                figure = self.run(program, upstream, first, last, alignment, count)
                if figure is None:
                    return None
                runs.append(figure)
        return statistics.median(taken[UNTRACKED]), statistics.median(taken[TRACKED])


def mean_over_small_sizes(bench):
    rows = []
    for upstream in UPSTREAMS:
        both = bench.both(upstream, 1, 1024, 0, 200)
        rows.append([upstream, *(["-"] * 3 if both is None else
                                 [f"{both[0]:.1f} B", f"{both[1]:.1f} B", f"{both[1] - both[0]:+.1f} B"])])
    return measurement.markdown(("mean of sizes 1 to 1,024", "untracked", "tracked", "more a block"), rows)


def exact_sizes(bench, sizes, aligned):
    rows = []
    for size in sizes:
        cells = [f"{size:,} B"]
        for upstream in UPSTREAMS:
            both = bench.both(upstream, size, size, size if aligned else 0, TOTAL_BYTES // size // 4)
            cells.append("-" if both is None else f"{100 * (both[1] / both[0] - 1):+.1f} %")
        rows.append(cells)
    label = "blocks aligned to their size" if aligned else "blocks of"
    return measurement.markdown((label, *UPSTREAMS), rows)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the benchmark programs are, as in build/release/bench")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program (3)")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="BYTES", default=[64 << shift for shift in range(11)],
                        help="exact sizes, powers of two (64 to 65536)")
    arguments = parser.parse_args()
    for program in (UNTRACKED, TRACKED):
        if not (arguments.folder / program).is_file():
            parser.error(f"{arguments.folder}/{program} is not there; build the target bursar_benchmarks, or run `make bench`")
    return arguments


def main():
    arguments = parse_arguments()
    bench = Bench(arguments.folder, arguments.rounds)
    print(mean_over_small_sizes(bench), end="\n\n", flush=True)
    print("More resident memory than the same allocator takes untracked:", end="\n\n")
    print(exact_sizes(bench, arguments.sizes, aligned=False), end="\n\n", flush=True)
    print(exact_sizes(bench, arguments.sizes, aligned=True))


if __name__ == "__main__":
    main()
