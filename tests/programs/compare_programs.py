#!/usr/bin/env python3
"""Runs programs that nobody wrote for Bursar, with the preload library and without it: their output has to be the same,
their books plausible, and the table says what the library costs.

The columns: the median of the runs without it, its cost (the median of those with it over that), and the spread
(the same of one half of the runs without it over the other half): a cost counts only outside the spread. Then the same
two for the processor time of the program alone, which a busy machine disturbs less.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77


class Missing(Exception):
    """A program is not there."""


class Place:
    """Where the libraries and the tools are, and how much is to be done: 1.0 is the full job."""

    def __init__(self, libraries, programs, tools, scale):
        self.libraries = Path(libraries)
        self.programs = Path(programs)
        self.tools = Path(tools)
        self.scale = scale

    def amount(self, full, least=1):
        return max(least, int(full * self.scale))

    def find(self, name):
        found = shutil.which(name, path=os.pathsep.join([str(self.tools), os.environ.get("PATH", ""), "/usr/sbin"]))
        if found is None:
            raise Missing(f"{name} is not installed (scripts/install-dependencies programs)")
        return found


class Run:
    """One run of one program in a folder of its own. `environment` has LD_PRELOAD in it, or not."""

    def __init__(self, place, folder, environment):
        self.place = place
        self.folder = Path(folder)
        self.environment = environment
        self.cpu_seconds = None
        self.plain = {name: value for name, value in environment.items() if name != "LD_PRELOAD"}

    def timed(self, command, text=None, cwd=None, **more):
        """Seconds, and what it wrote."""
        begin, cpu_before = time.perf_counter(), cpu_of_children()
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=cwd or self.folder,
                              env=self.environment | more, check=False)
        seconds, self.cpu_seconds = time.perf_counter() - begin, cpu_of_children() - cpu_before
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return seconds, done.stdout + done.stderr

    def serve(self, command):
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(process):
    """Seconds of a process that still runs."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, server):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {server.stderr.read().decode(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the server does not listen")


def stop(server, how=signal.SIGTERM):
    server.send_signal(how)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    server.stderr.close()


PYTHON_JOB = r"""
import json, re, sys, zlib
count = int(sys.argv[1])
rows = [{"id": i, "name": f"user{i}", "tags": [f"t{i % 17}", f"t{i % 29}"], "score": i * 1.5, "text": "lorem ipsum " * 5}
        for i in range(count)]
total = 0
for _ in range(3):
    text = json.dumps(rows)
    total = zlib.crc32(text.encode(), total)
    rows = json.loads(text)
words = re.findall(r"\b(user)(\d+)\b", text)
changed = re.sub(r"lorem (\w+)", lambda m: m.group(1)[::-1], text)
print(total, len(words), zlib.crc32(changed.encode()))
"""


def python3(run):
    return run.timed([sys.executable, "-S", "-c", PYTHON_JOB, str(run.place.amount(60_000, 2_000))])


def python3_malloc(run):
    """All of Python's objects from malloc, none from its own pools."""
    return run.timed([sys.executable, "-S", "-c", PYTHON_JOB, str(run.place.amount(60_000, 2_000))],
                     PYTHONMALLOC="malloc")


def sqlite3(run):
    rows = run.place.amount(1_000_000, 20_000)
    return run.timed([run.place.find("sqlite3"), ":memory:"], f"""
create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into t select i, 'name' || (i * 7919 % {rows}), i * 0.5 from n;
create index by_name on t(name);
select count(*), sum(value), min(name), max(name) from t;
select substr(name, 1, 6) as p, count(*), avg(value) from t group by p order by 2 desc, 1 limit 5;
delete from t where id % 3 = 0; vacuum; select count(*), group_concat(distinct substr(name, 1, 5)) from t where id < 1000;
pragma integrity_check;
""")


def redis(run):
    server_program, client = run.place.find("redis-server"), run.place.find("redis-cli")
    benchmark, port = run.place.find("redis-benchmark"), free_port()
    server = run.serve([server_program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                        "--daemonize", "no"])

    def ask(*words):
        return subprocess.run([client, "-p", str(port), *words], capture_output=True, text=True, env=run.plain,
                              check=True).stdout.strip()
    try:
        wait_for_port(port, server)
        load = [benchmark, "-p", str(port), "-n", str(run.place.amount(400_000, 20_000)), "-r", "100000", "-P", "16",
                "-d", "60", "-t", "set,get,lpush,hset,zadd", "-q"]
        begin = time.perf_counter()
        subprocess.run(load, capture_output=True, env=run.plain, check=True)
        seconds, run.cpu_seconds = time.perf_counter() - begin, cpu_of(server)
        ask("set", "probe", "x" * 1_000)
        usage = int(ask("memory", "usage", "probe"))
        used = int(re.search(r"used_memory:(\d+)", ask("info", "memory")).group(1))
        answers = [ask("get", "probe"), ask("llen", "mylist"), ask("memory", "malloc-stats")[:40],
                   "usage as it should be" if 1_000 < usage < 1_400 else f"usage {usage}",
                   "used memory as it should be" if used > 1 << 20 else f"used {used}",
                   " ".join(ask("memory", "stats").split()[::2][:3]), ask("memory", "doctor")[:12], ask("memory", "purge")]
        ask("shutdown", "nosave")
        server.wait(20)
        return seconds, "\n".join(answers)
    finally:
        if server.poll() is None:
            stop(server)


def nginx(run):
    program, load, curl, port = run.place.find("nginx"), run.place.find("wrk"), run.place.find("curl"), free_port()
    (run.folder / "page.html").write_text("a page of nginx's\n" * 100)
    (run.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {run.folder}/pid; error_log {run.folder}/errors;
events {{ worker_connections 256; }}
http {{ access_log off; gzip on; gzip_types *; gzip_min_length 100;
  client_body_temp_path {run.folder}/b; proxy_temp_path {run.folder}/p; fastcgi_temp_path {run.folder}/f;
  uwsgi_temp_path {run.folder}/u; scgi_temp_path {run.folder}/s;
  server {{ listen 127.0.0.1:{port}; root {run.folder}; }} }}
""")
    server = run.serve([program, "-e", f"{run.folder}/errors", "-p", str(run.folder), "-c", f"{run.folder}/nginx.conf"])
    try:
        wait_for_port(port, server)
        url = f"http://127.0.0.1:{port}/page.html"
        said = subprocess.run([load, "-t1", "-c16", f"-d{run.place.amount(4, 1)}s", "-H", "Accept-Encoding: gzip", url],
                              capture_output=True, text=True, env=run.plain, check=True).stdout
        cpu_seconds = cpu_of(server)
        page = subprocess.run([curl, "-sS", "--compressed", url], capture_output=True, text=True, env=run.plain,
                              check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise RuntimeError(said)
        run.cpu_seconds = cpu_seconds / int(re.search(r"(\d+) requests in", said).group(1))
        return 1 / float(re.search(r"Requests/sec:\s*([\d.]+)", said).group(1)), page
    finally:
        stop(server, signal.SIGQUIT)


GCC_JOB = """
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
std::map<std::string, std::vector<int>> table;
std::unordered_map<std::string, std::regex> patterns;
bool matches(const std::string& text) {
  for (auto& [name, pattern] : patterns)
    if (std::regex_search(text, pattern)) table[name].push_back(static_cast<int>(text.size()));
  std::sort(table["all"].begin(), table["all"].end());
  return !table.empty();
}
"""


def gcc(run):
    (run.folder / "job.cpp").write_text(GCC_JOB)
    seconds, said = run.timed([run.place.find("g++"), "-std=c++17", "-O2" if run.place.scale >= 1 else "-O0", "-S",
                               "job.cpp", "-o", "job.s"])
    return seconds, said + (run.folder / "job.s").read_text()


def rocksdb(run):
    program = run.place.programs / "rocksdb_work"
    if not program.exists():
        raise Missing("rocksdb_work was not built: librocksdb-dev is not installed")
    return run.timed([str(program), "data", str(run.place.amount(500_000, 20_000))])


def git(run):
    program = run.place.find("git")
    for number in range(run.place.amount(400, 40)):
        folder = run.folder / "tree" / f"d{number % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}").write_text("".join(f"line {number} {i * number % 97}\n" for i in range(300)))
    script = f"""
set -e
git() {{ "{program}" -c user.name=a -c user.email=a@b -c init.defaultBranch=m -c gc.auto=0 -c pack.threads=1 "$@"; }}
cd tree; git init -q .; git add .; git commit -q -m one
for i in 1 2 3 4 5 6; do for f in d*/f*$i; do echo "more $i" >>"$f"; done; git commit -q -a -m "change $i"; done
git repack -q -a -d -f; git fsck --full 2>/dev/null; git log --stat | cksum; git diff HEAD~5 | cksum; git rev-parse HEAD
git blame d1/f1 | cksum; git grep -c 'more 3' | wc -l
"""
    return run.timed(["/bin/sh", "-c", script], GIT_AUTHOR_DATE="2024-01-01T00:00:00Z", HOME=str(run.folder),
                     GIT_COMMITTER_DATE="2024-01-01T00:00:00Z", GIT_CONFIG_NOSYSTEM="1")


def perl(run):
    return run.timed([run.place.find("perl"), "-e", r"""
my ($n) = @ARGV; my %h; my $t = "";
for my $i (1 .. $n) { my $w = "w" . ($i * 7919 % 10007); $h{$w}{n}++; push @{$h{$w}{at}}, $i; $t .= "$w,$i;" if $i % 3 == 0; }
my $c = 0; $c += $1 while $t =~ /w\d+,(\d+);/g; $t =~ s/w(\d)(\d*)/$2$1/g;
my $s = join ",", map { "$_:$h{$_}{n}:" . scalar @{$h{$_}{at}} } (sort keys %h)[0 .. 20];
print "$c ", length $t, " ", unpack("%32C*", $t), " $s\n";
""", str(run.place.amount(1_200_000, 50_000))])


JAVA_JOB = """
import java.util.*;
public class Job {
  public static void main(String[] words) throws Exception {
    int n = Integer.parseInt(words[0]);
    Map<String, List<Integer>> map = new HashMap<>();
    for (int i = 0; i < n; i++) map.computeIfAbsent("k" + (i * 7919L % 10007), k -> new ArrayList<>()).add(i);
    java.util.zip.Deflater deflater = new java.util.zip.Deflater();
    byte[] out = new byte[1 << 16]; long total = 0;
    for (int i = 0; i < 200; i++) { deflater.reset(); deflater.setInput(new byte[50000]); deflater.finish(); total += deflater.deflate(out); }
    Thread[] threads = new Thread[4];
    for (int i = 0; i < 4; i++) { threads[i] = new Thread(() -> new String(new char[1000]).hashCode()); threads[i].start(); }
    for (Thread thread : threads) thread.join();
    System.out.println(map.size() + " " + map.get("k5").size() + " " + total);
  }
}
"""


def jvm(run):
    java, compiler = run.place.find("java"), run.place.find("javac")
    (run.folder / "Job.java").write_text(JAVA_JOB)
    subprocess.run([compiler, "-d", ".", "Job.java"], cwd=run.folder, env=run.plain, check=True)
    return run.timed([java, "-Xmx512m", "-cp", ".", "Job", str(run.place.amount(4_000_000, 100_000))])


PROGRAMS = {"python3": python3, "python3-malloc": python3_malloc, "sqlite3": sqlite3, "redis": redis, "nginx": nginx,
            "gcc": gcc, "rocksdb": rocksdb, "git": git, "perl": perl, "jvm": jvm}
# Linked with jemalloc, so its entries are preloaded, too.
WITH_JEMALLOC = {"redis"}


def environment_of(place, name, preloaded, books=None):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BURSAR_", "LD_PRELOAD"))}
    environment["LC_ALL"] = "C.UTF-8"
    if preloaded:
        library = "libbursar_preload_jemalloc.so" if name in WITH_JEMALLOC else "libbursar_preload.so"
        environment["LD_PRELOAD"] = str(place.libraries / library)
        if books is not None:
            environment["LD_PRELOAD"] += f":{place.programs / 'libbursar_books_at_exit.so'}"
            environment["BURSAR_BOOKS"] = str(books)
    return environment


def run_once(place, name, preloaded, books=None):
    with tempfile.TemporaryDirectory(prefix="bursar-programs-") as folder:
        # The same path for both, which some programs write into what they produce.
        run = Run(place, folder, environment_of(place, name, preloaded, books))
        seconds, said = PROGRAMS[name](run)
        return seconds, run.cpu_seconds, said.replace(folder, "FOLDER")


def complaints_about(books):
    """What is implausible in the books that processes left."""
    found = 0
    for path in sorted(Path(books).iterdir()):
        installed, allocated, released, blocks, gone, foreign = map(int, path.read_text().split())
        if installed != 1:
            yield f"process {path.name}: not tracked"
        elif released > allocated or gone > blocks or blocks == 0 or allocated < blocks:
            yield f"process {path.name}: {allocated} B in {blocks} allocated, {released} B in {gone} released"
        elif foreign:
            yield f"process {path.name}: {foreign} foreign blocks"
        found += 1
    if found == 0:
        yield "no process left its books"


def check(place, name):
    """One run of each kind: the same output, and plausible books."""
    _, _, expected = run_once(place, name, preloaded=False)
    with tempfile.TemporaryDirectory(prefix="bursar-books-") as books:
        _, _, said = run_once(place, name, preloaded=True, books=books)
        complaints = list(complaints_about(books))
        count = len(list(Path(books).iterdir()))
    if said != expected:
        complaints.append(f"without: {expected[:500]!r}\nwith:    {said[:500]!r}")
    if complaints:
        print(f"{name}: " + "\n".join(complaints))
        return False
    print(f"{name}: the same output, {len(said)} characters; the books of {count} processes are plausible")
    return True


def compared(without, preloaded):
    """The median without, the cost, and the spread."""
    base = statistics.median(without)
    return base, statistics.median(preloaded) / base, statistics.median(without[::2]) / statistics.median(without[1::2])


def measure(place, name, repetitions):
    """Of the time, and of the processor time."""
    without, preloaded, output = [], [], None
    for repetition in range(repetitions):
        # Alternating, and each kind first as often as the other.
        for is_preloaded in (False, True, False) if repetition % 2 == 0 else (False, False, True):
            *seconds, said = run_once(place, name, is_preloaded)
            if output is not None and said != output:
                raise RuntimeError(f"{name}: its output differs from run to run")
            output = said
            (preloaded if is_preloaded else without).append(seconds)
    return [compared([run[kind] for run in without], [run[kind] for run in preloaded]) for kind in (0, 1)]


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)}; all, if none is named")
    parser.add_argument("--repetitions", type=int, default=7, help="runs with the library, and twice as many without (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="how much work: 1 is the full job (%(default)s)")
    parser.add_argument("--check", action="store_true", help="no table: one run of each kind, output and books")
    parser.add_argument("--libraries", default=root / "build/release/src/interpose", help="folder of the preload library")
    parser.add_argument("--built", default=root / "build/release/tests/programs", help="folder of the programs built for this")
    parser.add_argument("--tools", default=root / "build/tools/bin", help="folder of programs taken out of packages")
    options = parser.parse_args()
    unknown = [name for name in options.programs if name not in PROGRAMS]
    if unknown:
        parser.error(f"unknown program {unknown[0]!r}; there are {', '.join(PROGRAMS)}")
    place = Place(options.libraries, options.built, options.tools, options.scale)
    if not (place.libraries / "libbursar_preload.so").exists():
        parser.error(f"{place.libraries} has no libbursar_preload.so: build it, or name another folder with --libraries")
    names = options.programs or list(PROGRAMS)
    failed, skipped = [], []
    if not options.check:
        print(f"{'program':16} {'without':>12} {'cost':>7} {'spread':>7} {'cpu cost':>10} {'spread':>7}", flush=True)
    for name in names:
        try:
            if options.check:
                if not check(place, name):
                    failed.append(name)
            else:
                (base, cost, spread), (_, cpu_cost, cpu_spread) = measure(place, name, options.repetitions)
                shown = f"{base * 1e6:.1f} us/req" if name == "nginx" else f"{base:.3f} s"
                print(f"{name:16} {shown:>12} {cost:7.3f} {spread:7.3f} {cpu_cost:10.3f} {cpu_spread:7.3f}", flush=True)
        except Missing as missing:
            print(f"{name}: left out: {missing}", flush=True)
            skipped.append(name)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"{name}: {error}", flush=True)
            failed.append(name)
    if failed:
        return 1
    return SKIPPED if options.check and skipped == names else 0


if __name__ == "__main__":
    sys.exit(main())
