"""The rules that design asks of the `#include` lines, each a function from a SourceTree to a list of complaints."""

from source_tree import HEADER_SUFFIX, SourceTree

# What each module may include beside itself. A module that is missing here may not exist.
CORE = {
    "base": [],
    "cpu": ["base"],
    "groups": ["base", "cpu"],
    "alloc": ["base", "cpu", "groups"],
    "interpose": ["base", "cpu", "groups", "alloc"],
    "bounds": ["base"],
    "limiter": ["base", "bounds"],
    "registry": ["base", "cpu", "groups", "alloc", "bounds", "limiter"],
}
# `interpose` is linked, never included.
INCLUDABLE_CORE = [module for module in CORE if module != "interpose"]
THIRD_PARTY_STARTS_HERE = {
    "report": INCLUDABLE_CORE,
    "asio": INCLUDABLE_CORE,
    "testing": INCLUDABLE_CORE,
    "server": INCLUDABLE_CORE + ["report", "asio"],
    "prometheus": INCLUDABLE_CORE + ["report"],
}
MAY_INCLUDE = CORE | THIRD_PARTY_STARTS_HERE

# These run under malloc.
UNDER_MALLOC = ("cpu", "groups", "alloc", "interpose")
ALLOCATING_HEADERS = {
    "any", "chrono", "condition_variable", "deque", "filesystem", "forward_list", "fstream", "functional", "future",
    "iomanip", "ios", "iostream", "istream", "list", "locale", "map", "memory_resource", "mutex", "ostream", "queue",
    "random", "regex", "semaphore", "set", "shared_mutex", "sstream", "stack", "stdexcept", "stop_token", "streambuf",
    "string", "strstream", "syncstream", "system_error", "thread", "unordered_map", "unordered_set", "valarray", "vector",
}
# Where such a header is needed all the same, and for what.
ALLOCATING_HEADERS_ALLOWED = {
    ("include/bursar/groups/resource_group_token.h", "functional"),  # std::invoke and std::hash
    ("include/bursar/groups/awaitable.h", "functional"),  # std::invoke_result of a factory
    ("include/bursar/groups/tracked.h", "functional"),  # std::invoke
    ("include/bursar/alloc/tracking_resource.h", "memory_resource"),  # what it is; malloc never calls it
}

STANDARD_HEADERS = ALLOCATING_HEADERS | {
    "algorithm", "array", "atomic", "barrier", "bit", "bitset", "cassert", "ccomplex", "cctype", "cerrno", "cfenv", "cfloat",
    "charconv", "cinttypes", "climits", "clocale", "cmath", "compare", "complex", "concepts", "coroutine", "csetjmp",
    "csignal", "cstdarg", "cstddef", "cstdint", "cstdio", "cstdlib", "cstring", "ctime", "cuchar", "cwchar", "cwctype",
    "exception", "execution", "expected", "initializer_list", "iosfwd", "iterator", "latch", "limits", "memory", "new",
    "numbers", "numeric", "optional", "ranges", "ratio", "scoped_allocator", "source_location", "span", "stdatomic.h",
    "string_view", "tuple", "type_traits", "typeindex", "typeinfo", "utility", "variant", "version",
}
# The C library's and the kernel's.
SYSTEM_HEADERS = {
    "assert.h", "byteswap.h", "cpuid.h", "ctype.h", "dirent.h", "dlfcn.h", "elf.h", "endian.h", "errno.h", "fcntl.h",
    "features.h", "fnmatch.h", "immintrin.h", "inttypes.h", "limits.h", "link.h", "malloc.h", "math.h", "netdb.h", "poll.h",
    "pthread.h", "sched.h", "semaphore.h", "setjmp.h", "signal.h", "stdarg.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h", "strings.h", "syslog.h", "termios.h", "threads.h", "time.h", "ucontext.h", "unistd.h",
    "x86intrin.h",
}
SYSTEM_FOLDERS = ("arpa/", "asm/", "linux/", "net/", "netinet/", "sys/")


def is_third_party(name):
    if name.startswith("bursar/") or name.startswith(SYSTEM_FOLDERS):
        return False
    return name not in STANDARD_HEADERS and name not in SYSTEM_HEADERS


def module_named_by(include):
    """The module of Bursar that an include names, whether or not the file is there."""
    parts = include.name.split("/")
    if not include.quoted:
        return parts[1] if parts[0] == "bursar" and len(parts) > 2 else None
    return parts[0] if len(parts) > 1 and parts[0] in MAY_INCLUDE else None


def modules_include_only_modules_below(tree):
    for file in tree.files.values():
        if not file.module:
            continue
        if file.module not in MAY_INCLUDE:
            yield f"{file.path}: `{file.module}` is no module; those are {', '.join(MAY_INCLUDE)}"
            continue
        for include in file.includes:
            other = module_named_by(include)
            if include.name == "bursar/bursar.h" and file.module in CORE:
                yield f"{file.path}: includes <bursar/bursar.h>, which stands above every module; include what is used"
            elif other is not None and other != file.module and other not in MAY_INCLUDE[file.module]:
                below = ", ".join(MAY_INCLUDE[file.module]) or "nothing"
                yield f"{file.path}: `{file.module}` includes {include.name}, but may include only {below}"


def includes_of_ours_exist(tree):
    for file in tree.files.values():
        for include in file.includes:
            ours = include.quoted or include.name.startswith("bursar/")
            in_program = file.path.split("/")[0] in ("apps", "tools", "examples") and include.quoted
            if ours and not in_program and tree.resolve(file, include) is None:
                yield f"{file.path}: there is no {include.name}"


def public_headers_include_no_private_ones(tree):
    for file in tree.files.values():
        if file.path.startswith("include/"):
            for include in file.includes:
                if include.quoted:
                    yield f'{file.path}: a public header includes "{include.name}", which is not installed; write <bursar/...>'


def core_has_no_third_party(tree):
    for file in tree.files.values():
        if file.module in CORE or file.path == "include/bursar/bursar.h":
            for include in file.includes:
                if not include.quoted and is_third_party(include.name):
                    yield f"{file.path}: <{include.name}> is of a third party; the core has none"


def what_runs_under_malloc_includes_nothing_that_allocates(tree):
    for file in tree.files.values():
        if file.module not in UNDER_MALLOC:
            continue
        ways = {file.path: (file.path,)} | tree.reachable_from(file)
        for path, way in ways.items():
            for include in tree.files[path].includes:
                allowed = (path, include.name) in ALLOCATING_HEADERS_ALLOWED
                if not include.quoted and include.name in ALLOCATING_HEADERS and not allowed:
                    yield f"{' -> '.join(way)}: <{include.name}> allocates; `{file.module}` runs under malloc"


def exceptions_are_needed(tree):
    for path, name in sorted(ALLOCATING_HEADERS_ALLOWED):
        if path not in tree.files or name not in [include.name for include in tree.files[path].includes]:
            yield f"{path}: may include <{name}> by exception, but does not; take it out of ALLOCATING_HEADERS_ALLOWED"


def programs_use_public_headers_only(tree):
    for file in tree.files.values():
        if file.path.split("/")[0] not in ("apps", "tools", "examples"):
            continue
        for include in file.includes:
            private = f"src/{include.name}" in tree.files and not own_header(tree, file, include)
            if private or include.name.startswith(("../", "src/")):
                yield f"{file.path}: includes {include.name}; programs use the public headers <bursar/...> only"


def own_header(tree, file, include):
    """Whether a program means a file of its own: beside the including one, or from the program's folder."""
    program = "/".join(file.path.split("/")[:2])
    beside = file.path.rsplit("/", 1)[0]
    return include.quoted and (f"{program}/{include.name}" in tree.files or f"{beside}/{include.name}" in tree.files)


def headers_are_included_once(tree):
    for file in tree.files.values():
        if file.path.endswith(HEADER_SUFFIX) and "\n#pragma once\n" not in "\n" + file.text:
            yield f"{file.path}: has no `#pragma once`"


def umbrella_reaches_the_core(tree):
    umbrella = tree.files.get("include/bursar/bursar.h")
    if umbrella is None:
        yield "include/bursar/bursar.h: is not there"
        return
    reached = tree.reachable_from(umbrella)
    for file in tree.files.values():
        if file.path.startswith("include/") and file.module in CORE and file.path not in reached:
            yield f"{file.path}: is a public header of the core that <bursar/bursar.h> does not reach"


RULES = (
    modules_include_only_modules_below,
    includes_of_ours_exist,
    public_headers_include_no_private_ones,
    core_has_no_third_party,
    what_runs_under_malloc_includes_nothing_that_allocates,
    exceptions_are_needed,
    programs_use_public_headers_only,
    headers_are_included_once,
    umbrella_reaches_the_core,
)


def complaints(root, rules=RULES):
    tree = SourceTree(root)
    return [complaint for rule in rules for complaint in rule(tree)]
