"""The tree keeps the rules of its layers and folders, and the checks of those rules can fail."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import folders
import layers

ROOT = Path(__file__).resolve().parents[2]


class TheTree(unittest.TestCase):
    def assert_none(self, complaints):
        self.assertEqual([], complaints, "\n" + "\n".join(complaints))

    def test_keeps_its_layers(self):
        self.assert_none(layers.complaints(ROOT))

    def test_keeps_its_folders(self):
        self.assert_none(folders.complaints(ROOT))

    def test_is_not_empty(self):
        modules = {file.module for file in layers.SourceTree(ROOT).files.values()}
        self.assertLessEqual(set(layers.MAY_INCLUDE), modules)


class FakeTree(unittest.TestCase):
    """A folder with the files that a test writes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path, text="#pragma once\n"):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def layers(self, rule):
        return layers.complaints(self.root, [rule])

    def folders(self, rule):
        return folders.complaints(self.root, [rule])

    def assert_one(self, complaints, *words):
        self.assertEqual(1, len(complaints), complaints)
        for word in words:
            self.assertIn(word, complaints[0])


class Layers(FakeTree):
    def test_module_that_includes_one_above_it_is_found(self):
        self.write("src/groups/a.cpp", "#include <bursar/alloc/block.h>\n")
        found = self.layers(layers.modules_include_only_modules_below)
        self.assert_one(found, "src/groups/a.cpp", "bursar/alloc/block.h")

    def test_module_that_includes_one_above_it_by_a_private_header_is_found(self):
        self.write("src/base/a.cpp", '#include "groups/table.h"\n')
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "groups/table.h", "only nothing")

    def test_public_header_is_held_to_the_same_rule(self):
        self.write("include/bursar/limiter/a.h", "#pragma once\n#include <bursar/groups/token.h>\n")
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "include/bursar/limiter/a.h")

    def test_bounds_may_not_know_groups_but_registry_may(self):
        self.write("src/bounds/a.cpp", "#include <bursar/groups/token.h>\n")
        self.write("src/registry/a.cpp", "#include <bursar/groups/token.h>\n")
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "src/bounds/a.cpp")

    def test_interpose_is_included_by_nobody(self):
        self.write("src/server/a.cpp", '#include "interpose/tracked_malloc.h"\n')
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "interpose/tracked_malloc.h")

    def test_modules_below_and_the_module_itself_are_fine(self):
        self.write("src/alloc/a.cpp", '#include <bursar/base/a.h>\n#include <bursar/groups/a.h>\n#include "alloc/b.h"\n')
        self.assertEqual([], self.layers(layers.modules_include_only_modules_below))

    def test_unknown_module_is_found(self):
        self.write("src/utils/a.cpp", "")
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "utils")

    def test_core_that_includes_the_umbrella_is_found(self):
        self.write("src/base/a.cpp", "#include <bursar/bursar.h>\n")
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "bursar/bursar.h")

    def test_spaces_do_not_hide_an_include(self):
        self.write("src/base/a.cpp", "  #  include   <bursar/groups/token.h>\n")
        self.assert_one(self.layers(layers.modules_include_only_modules_below), "src/base/a.cpp")

    def test_comments_include_nothing(self):
        self.write("src/base/a.cpp", "// #include <bursar/groups/a.h>\n/*\n#include <bursar/groups/a.h>\n*/\n")
        self.assertEqual([], self.layers(layers.modules_include_only_modules_below))

    def test_missing_header_is_found(self):
        self.write("src/base/a.cpp", '#include "base/gone.h"\n#include <bursar/base/gone_too.h>\n')
        self.assertEqual(2, len(self.layers(layers.includes_of_ours_exist)))

    def test_public_header_that_includes_a_private_one_is_found(self):
        self.write("include/bursar/groups/a.h", '#pragma once\n#include "groups/table.h"\n')
        self.assert_one(self.layers(layers.public_headers_include_no_private_ones), "groups/table.h")

    def test_third_party_in_the_core_is_found(self):
        for name in ("fmt/format.h", "boost/asio.hpp", "nlohmann/json.hpp", "gtest/gtest.h", "zlib.h"):
            self.write("src/registry/a.cpp", f"#include <{name}>\n")
            self.assert_one(self.layers(layers.core_has_no_third_party), name)

    def test_third_party_above_the_core_is_fine(self):
        self.write("src/report/a.cpp", "#include <nlohmann/json.hpp>\n")
        self.assertEqual([], self.layers(layers.core_has_no_third_party))

    def test_standard_and_system_headers_are_no_third_party(self):
        self.write("src/base/a.cpp", "#include <unistd.h>\n#include <sys/mman.h>\n#include <linux/rseq.h>\n#include <bit>\n")
        self.assertEqual([], self.layers(layers.core_has_no_third_party))


class UnderMalloc(FakeTree):
    rule = staticmethod(layers.what_runs_under_malloc_includes_nothing_that_allocates)

    def test_header_that_allocates_is_found_in_each_module(self):
        for module in layers.UNDER_MALLOC:
            for header in ("string", "vector", "map", "iostream", "functional", "thread"):
                self.write(f"src/{module}/a.cpp", f"#include <{header}>\n")
                self.assert_one(self.layers(self.rule), f"<{header}>", f"src/{module}/a.cpp")
            (self.root / f"src/{module}/a.cpp").unlink()

    def test_header_that_allocates_is_found_behind_others(self):
        self.write("include/bursar/base/bytes.h", "#pragma once\n#include <string>\n")
        self.write("include/bursar/groups/a.h", "#pragma once\n#include <bursar/base/bytes.h>\n")
        self.write("src/alloc/a.cpp", "#include <bursar/groups/a.h>\n")
        found = self.layers(self.rule)
        self.assertEqual(2, len(found), found)
        self.assertIn("src/alloc/a.cpp -> include/bursar/groups/a.h -> include/bursar/base/bytes.h: <string>", found[1])

    def test_other_modules_may_allocate(self):
        self.write("src/bounds/a.cpp", "#include <string>\n")
        self.assertEqual([], self.layers(self.rule))

    def test_exception_holds_for_its_file_alone(self):
        path, header = sorted(layers.ALLOCATING_HEADERS_ALLOWED)[0]
        self.write(path, f"#pragma once\n#include <{header}>\n")
        self.write("src/groups/other.cpp", f"#include <{header}>\n")
        self.assert_one(self.layers(self.rule), "src/groups/other.cpp")

    def test_exception_that_nobody_needs_is_found(self):
        self.assertEqual(len(layers.ALLOCATING_HEADERS_ALLOWED), len(self.layers(layers.exceptions_are_needed)))


class Programs(FakeTree):
    rule = staticmethod(layers.programs_use_public_headers_only)

    def test_private_header_of_the_library_is_found(self):
        self.write("src/groups/table.h")
        self.write("apps/statsd/a.cpp", '#include "groups/table.h"\n')
        self.assert_one(self.layers(self.rule), "apps/statsd/a.cpp", "groups/table.h")

    def test_way_round_the_include_path_is_found(self):
        self.write("apps/statsd/a.cpp", '#include "../../src/groups/table.h"\n')
        self.assert_one(self.layers(self.rule), "../../src/groups/table.h")

    def test_own_header_is_fine_even_where_the_library_has_one_of_that_name(self):
        self.write("src/limiter/policy.h")
        self.write("apps/statsd/limiter/policy.h")
        self.write("apps/statsd/main.cpp", '#include "limiter/policy.h"\n#include <bursar/bursar.h>\n')
        self.assertEqual([], self.layers(self.rule))


class Headers(FakeTree):
    def test_header_without_pragma_once_is_found(self):
        self.write("include/bursar/base/a.h", "#ifndef A\n#define A\n#endif\n")
        self.write("src/base/b.h", "#pragma once\n")
        self.assert_one(self.layers(layers.headers_are_included_once), "include/bursar/base/a.h")

    def test_public_header_that_the_umbrella_misses_is_found(self):
        self.write("include/bursar/bursar.h", "#pragma once\n#include <bursar/base/a.h>\n")
        self.write("include/bursar/base/a.h", "#pragma once\n#include <bursar/base/b.h>\n")
        self.write("include/bursar/base/b.h")
        self.write("include/bursar/base/c.h")
        self.write("include/bursar/report/json.h")
        self.assert_one(self.layers(layers.umbrella_reaches_the_core), "include/bursar/base/c.h")


class Folders(FakeTree):
    def test_source_that_is_not_compiled_is_found(self):
        self.write("src/base/CMakeLists.txt", "target_sources(bursar PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/a.cpp not_b.cpp)\n")
        self.write("src/base/a.cpp")
        self.write("src/base/b.cpp")
        self.assert_one(self.folders(folders.sources_are_built), "src/base/b.cpp")

    def test_source_that_a_folder_above_compiles_is_fine(self):
        self.write("apps/statsd/CMakeLists.txt", "bursar_add_program(statsd SOURCES config/options.cpp)\n")
        self.write("apps/statsd/config/options.cpp")
        self.write("apps/statsd/main.cpp")
        self.assertEqual([], self.folders(folders.sources_are_built))

    def test_public_header_outside_of_the_file_sets_is_found(self):
        self.write("src/base/CMakeLists.txt", "FILES ${PROJECT_SOURCE_DIR}/include/bursar/base/a.h\n")
        self.write("include/bursar/base/a.h")
        self.write("include/bursar/base/b.h")
        self.assert_one(self.folders(folders.public_headers_are_installed), "include/bursar/base/b.h")

    def test_folder_of_tests_without_a_module_is_found(self):
        self.write("src/base/a.cpp")
        self.write("include/bursar/base/a.h")
        self.write("tests/unit/misc/a_test.cpp")
        self.assert_one(self.folders(folders.modules_mirror_each_other), "tests/unit/misc")

    def test_folder_that_contributing_does_not_name_is_found(self):
        self.write("CONTRIBUTING.md", "| `src/` | sources |\n| `groups` | ledger |\n")
        found = list(folders.contributing_names_every_folder(self.root, ["src", "src/groups", "bench"]))
        self.assert_one(found, "`bench/`")

    def test_folders_are_told_from_the_files_where_there_is_no_git(self):
        self.write("src/base/a.cpp")
        self.write("build/dev/x.cpp")
        self.assertEqual({"src", "src/base"}, folders.folders_of(self.root))


if __name__ == "__main__":
    unittest.main()
