"""Reads a source tree: which module each file belongs to, and what it includes."""

import re
from pathlib import Path
from typing import NamedTuple

HEADER_SUFFIX = ".h"
SOURCE_SUFFIXES = (HEADER_SUFFIX, ".cpp")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|"([^"\n]+)")', re.MULTILINE)
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Include(NamedTuple):
    name: str  # as it is written, without its quotes or brackets
    quoted: bool


class SourceFile(NamedTuple):
    path: str  # relative to the tree, with slashes
    module: str  # `groups` of src/groups/x.cpp and of include/bursar/groups/x.h; "" where the file belongs to none
    text: str
    includes: tuple


def includes_of(text):
    code = BLOCK_COMMENT.sub("", text)
    return tuple(Include(angle or quoted, bool(quoted)) for angle, quoted in INCLUDE.findall(code))


def module_of(path):
    parts = path.split("/")
    if parts[:2] == ["include", "bursar"]:
        return parts[2] if len(parts) > 3 else ""
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else ""
    return ""


class SourceTree:
    """The sources under some folders of `root`, by their paths."""

    def __init__(self, root, folders=("include", "src", "apps", "tools", "examples")):
        self.root = Path(root)
        self.files = {}
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SOURCE_SUFFIXES and path.is_file():
                    self._add(path)

    def _add(self, path):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(self.root).as_posix()
        self.files[name] = SourceFile(name, module_of(name), text, includes_of(text))

    def resolve(self, file, include):
        """The file of the tree that `include` in `file` means, or None where it is not one of ours."""
        candidates = [f"include/{include.name}"]
        if include.quoted:
            beside = file.path.rsplit("/", 1)[0] + "/" + include.name
            candidates = [beside, f"src/{include.name}"]
        for candidate in candidates:
            if candidate in self.files:
                return self.files[candidate]
        return None

    def reachable_from(self, file):
        """All files that `file` includes, directly or not, each with the path that leads to it."""
        found = {}
        waiting = [(file, (file.path,))]
        while waiting:
            current, way = waiting.pop()
            for include in current.includes:
                target = self.resolve(current, include)
                if target is not None and target.path not in found:
                    found[target.path] = way + (target.path,)
                    waiting.append((target, found[target.path]))
        return found
