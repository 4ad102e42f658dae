"""The names of what Bursar's programs expose."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r'"(bursar_[a-z0-9_]*[a-z0-9])"')


def named_in_sources():
    """Every name that a source of the library's reports or of a program writes out."""
    names = set()
    for folder in ("src/report", "apps"):
        for path in (ROOT / folder).rglob("*.cpp"):
            names.update(NAME.findall(path.read_text(encoding="utf-8")))
    return names


def shown_by(process):
    """What /metrics of a running bursar-statsd says of itself."""
    return {name for name in process.metrics().types if name.startswith("bursar_")}
