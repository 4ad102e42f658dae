"""A real control group with a memory limit, in which the kernel really kills."""

import os
import signal
import time
import uuid
from pathlib import Path

from needs import not_here

V1 = Path("/sys/fs/cgroup/memory")
V2 = Path("/sys/fs/cgroup")


class MemoryCgroup:
    """A group of its own below the root, there while the `with` lasts. What still runs in it at the end is killed."""

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes

    def __enter__(self):
        self.is_v1 = (V1 / "memory.limit_in_bytes").exists()
        self.folder = (V1 if self.is_v1 else V2) / f"bursar-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            self.folder.mkdir()
        except OSError as error:
            not_here(f"no control group can be made: {error}")
        try:
            self._limit()
        except OSError as error:
            self.folder.rmdir()
            not_here(f"the control group's memory cannot be limited: {error}")
        return self

    def _limit(self):
        if self.is_v1:
            self._write("memory.limit_in_bytes", self.limit_bytes)
            try:
                # Where swap is counted it does not lift the limit.
                self._write("memory.memsw.limit_in_bytes", self.limit_bytes)
            except OSError:
                pass
        else:
            self._write("memory.max", self.limit_bytes)
            if (self.folder / "memory.swap.max").exists():
                self._write("memory.swap.max", 0)

    def _write(self, name, value):
        (self.folder / name).write_text(str(value))

    def __exit__(self, *_):
        for attempt in range(200):
            for pid in (self.folder / "cgroup.procs").read_text().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.folder} cannot be removed")

    def enter(self):
        """For a child between fork and exec."""
        self._write("cgroup.procs", os.getpid())

    def peak_bytes(self):
        """The most that the group ever used; at its limit the kernel reclaims, or kills."""
        return int((self.folder / ("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak")).read_text())

    def kills(self):
        """How often the kernel killed here."""
        text = (self.folder / ("memory.oom_control" if self.is_v1 else "memory.events")).read_text()
        return int(dict(line.split() for line in text.splitlines()).get("oom_kill", 0))

    def failures(self):
        """How often the limit was met."""
        if self.is_v1:
            return int((self.folder / "memory.failcnt").read_text())
        return int(dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())["max"])
