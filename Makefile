# What people type. CMake does the work: CMakePresets.json says how each folder under build/ is configured.

PRESET ?= dev
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
TEST_JOBS ?= $(JOBS)

# Compilations are remembered where ccache is there; it is not needed.
LAUNCHER := $(shell command -v ccache 2>/dev/null)
CONFIGURE = cmake --preset $(PRESET) $(if $(LAUNCHER),-DCMAKE_CXX_COMPILER_LAUNCHER=$(LAUNCHER)) --log-level=WARNING
BUILD = cmake --build --preset $(PRESET) --parallel $(JOBS)
SOURCES = $(shell git ls-files '*.h' '*.cpp')

.DEFAULT_GOAL := help
.PHONY: help run test bench programs valgrind build format lint clean

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /  make \1@/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo
	@echo "  PRESET=dev|release|asan|tsan|clang chooses what test and build work on; JOBS=N how much is done at once."

run: PRESET = release
run: ## Install what is missing, build, run the data plane under its own traffic for 20 s and print its accounts.
	@scripts/install-dependencies build
	@$(CONFIGURE)
	@$(BUILD) --target bursar-statsd statsd-blast
	@scripts/run-demo

test: ## Install what is missing, build, run every test.
	@scripts/install-dependencies build test
	@$(CONFIGURE)
	@$(BUILD)
	@ctest --preset $(PRESET) --parallel $(TEST_JOBS) $(CTEST_ARGS)

bench: PRESET = release
bench: ## Build and run the comparisons: no tracking, the common design, ours.
	@scripts/install-dependencies build
	@$(CONFIGURE)
	@$(BUILD) --target bursar_benchmarks
	@scripts/bench

programs: PRESET = release
programs: ## Run programs of others under the preload library: the same output, and what it costs them.
	@scripts/install-dependencies build test programs
	@$(CONFIGURE)
	@$(BUILD) --target bursar_preload bursar_preload_jemalloc bursar_books_at_exit rocksdb_work
	@python3 -B tests/programs/compare_programs.py $(PROGRAMS)

valgrind: ## Run the tracker's own tests, without interposing, under valgrind's memcheck.
	@scripts/install-dependencies build test valgrind
	@$(CONFIGURE)
	@$(BUILD) --target alloc_test groups_test
	@scripts/valgrind build/$(PRESET)

build: ## Build everything and run nothing.
	@$(CONFIGURE)
	@$(BUILD)

format: ## Lay out all sources as .clang-format says.
	@scripts/install-dependencies ci
	@clang-format-19 -i $(SOURCES)

lint: PRESET = clang
lint: ## Check layout, the scripts, and the sources with clang-tidy.
	@scripts/install-dependencies build ci
	@clang-format-19 --dry-run --Werror $(SOURCES)
	@$(CONFIGURE)
	@scripts/lint build/$(PRESET)

clean: ## Remove everything that was built.
	@rm -rf build
