"""The rules of the folders: every file is built, every folder is explained."""

import re
import subprocess
from pathlib import Path

from layers import MAY_INCLUDE

MODULE_PARENTS = ("src", "include/bursar", "tests/unit")


def cmake_texts(root, folders):
    for folder in folders:
        for path in sorted((Path(root) / folder).rglob("CMakeLists.txt")):
            yield path, path.read_text(encoding="utf-8")


def mentions(text, name):
    return re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", text) is not None


def is_listed(root, path):
    """Whether the CMakeLists.txt of the file's folder, or of one above it, names the file."""
    for folder in path.parents:
        listing = folder / "CMakeLists.txt"
        if listing.is_file():
            text = re.sub(r"\$\{CMAKE_CURRENT_SOURCE_DIR\}/", "", listing.read_text(encoding="utf-8"))
            if mentions(text, path.relative_to(folder).as_posix()):
                return True
            if path.name == "main.cpp" and folder == path.parent and "bursar_add_program(" in text:
                return True  # which compiles it without being told
        if folder == Path(root):
            return False
    return False


def sources_are_built(root, folders=("src", "apps", "tools", "tests", "bench", "examples")):
    for folder in folders:
        for path in sorted((Path(root) / folder).rglob("*.cpp")):
            if not is_listed(root, path):
                yield f"{path.relative_to(root)}: no CMakeLists.txt names it, so it is never compiled"


def public_headers_are_installed(root):
    listings = "\n".join(text for _, text in cmake_texts(root, ["src"]))
    for path in sorted((Path(root) / "include").rglob("*.h")):
        name = path.relative_to(root).as_posix()
        if f"${{PROJECT_SOURCE_DIR}}/{name}" not in listings:
            yield f"{name}: is in no file set of src/, so it is neither installed nor compiled alone"


def modules_mirror_each_other(root):
    """A module has the same name in src/, include/bursar/ and tests/unit/."""
    for parent in MODULE_PARENTS:
        for folder in sorted((Path(root) / parent).iterdir()):
            allowed = set(MAY_INCLUDE) | ({"apps", "bench"} if parent == "tests/unit" else set())
            if folder.is_dir() and folder.name not in allowed:
                yield f"{parent}/{folder.name}: is no module; those are {', '.join(MAY_INCLUDE)}"


def files_of(root):
    """What git has, or is about to have; where there is no git, as in an unpacked archive, what is there."""
    root = Path(root)
    if not (root / ".git").exists():
        return [path.relative_to(root).as_posix() for path in root.rglob("*")
                if path.is_file() and path.relative_to(root).parts[0] != "build" and "__pycache__" not in path.parts]
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout.splitlines()


def folders_of(root):
    folders = set()
    for name in files_of(root):
        parts = name.split("/")[:-1]
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return folders


def folders_to_explain(folders):
    """Top-level folders, and one level below those that hold modules or programs."""
    for folder in sorted(folders):
        parts = folder.split("/")
        parent = "/".join(parts[:-1])
        if len(parts) == 1 or parent in ("src", "include/bursar", "tests", "apps", "tools"):
            yield folder


def contributing_names_every_folder(root, folders=None):
    text = (Path(root) / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for folder in folders_to_explain(folders_of(root) if folders is None else folders):
        module = folder.split("/")[-1]
        is_module = "/".join(folder.split("/")[:-1]) in ("src", "include/bursar")
        named = f"`{folder}/`" in text or (is_module and f"`{module}`" in text)
        if not named:
            yield f"CONTRIBUTING.md: does not say what `{folder}/` is for"


RULES = (sources_are_built, public_headers_are_installed, modules_mirror_each_other, contributing_names_every_folder)


def complaints(root, rules=RULES):
    return [complaint for rule in rules for complaint in rule(root)]
