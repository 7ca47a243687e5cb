# Every verb that a person or CI uses. `make demo` and `make test` set up all they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BUILT := $(VENV)/.built
RELEASE := build/release
PIP := $(BIN)/pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := CMakeLists.txt $(wildcard kernel/CMakeLists.txt kernel/include/onecell/* kernel/src/* bindings/*)
# A new module has to be made known to the editable install: folders change when files come or go.
FOLDERS := $(shell find src/onecell -type d -not -name __pycache__)
CXX_FILES := $(wildcard benchmarks/probes/*.cpp kernel/include/onecell/*.h kernel/src/*.h kernel/src/*.cpp kernel/library/*.h kernel/library/*.cpp kernel/example/*.c kernel/tests/*.h kernel/tests/*.cpp bindings/*.h bindings/*.cpp)
# As many files at once as there are processors; all of them must see the tests in one order.
PYTEST := PYTHONHASHSEED=0 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

.PHONY: help demo test test-all runtimes checked pytest browser lint types kernel-test arm-test arm-tools asan asan-memory asan-threads bench bench-quick version wheels manylinux workflows clang-test docs format clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'scikit-build-core' nanobind cmake ninja numpy
	$(PIP) --no-build-isolation --editable '.[torch,mindspore,all,dev]'
	touch $(READY) $(BUILT)

$(BUILT): $(READY) $(SOURCES) $(FOLDERS)
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $(BUILT)

demo: $(BUILT)  ## train a digits reader in torch, port it, run it in MindSpore, show the proof
	$(BIN)/python examples/digits/demo.py

test: lint  ## everything that CI checks
	$(MAKE) checked
	$(MAKE) pytest

# Two at once, the longest first: a compiler or a test of the kernel's often keeps one processor only.
checked: $(BUILT)
	$(MAKE) --jobs 2 --output-sync=target asan-memory asan-threads kernel-test arm-test types

pytest: $(BUILT) browser  ## the Python tests alone
	$(PYTEST) -m "not slow"

test-all: lint checked clang-test $(VENV)/.examples $(BUILT) browser runtimes  ## the same and the exhaustive tests, servers and clusters too
	$(NAMED) $(PYTEST)

# Frameworks that do not share an environment, or are large: each in one of its own, where `verify` and
# `diff` find it by its name.
ROOMS := paddle tensorflow small
NAMED := $(foreach pair,PADDLE/paddle TENSORFLOW/tensorflow OPENVINO/small MLX/small TINYGRAD/small,\
  ONECELL_PYTHON_$(patsubst %/,%,$(dir $(pair)))=$(CURDIR)/build/runtimes/$(notdir $(pair))/bin/python)

runtimes: $(ROOMS:%=build/runtimes/%/.ready)  ## the frameworks that only `make test-all` asks, 1.3 GB to load
	@echo 'Name them by: export $(NAMED)'

build/runtimes/%/.ready: packaging/runtimes/%.txt
	$(PYTHON) -m venv build/runtimes/$*
	build/runtimes/$*/bin/pip install --quiet --quiet --disable-pip-version-check --requirement $<
	touch $@

# Where a program of $(1) is missing, ask Debian for the packages $(2), or else say $(3).
define programs
	@(for name in $(1); do command -v $$name >/dev/null || exit 1; done) || { command -v apt-get >/dev/null && \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends $(2)'; } || { echo $(3) >&2; exit 1; }
endef

# The report is tested in a real browser.
browser:
	$(call programs,chromium,chromium fonts-noto-cjk,\
	  "The report's tests need chromium on PATH: install it and a Chinese font.")

# On other machines the kernel's ARM code is compiled and run by an emulator.
arm-tools:
	$(call programs,aarch64-linux-gnu-g++ qemu-aarch64-static,g++-aarch64-linux-gnu qemu-user-static,\
	  "The ARM tests need aarch64-linux-gnu-g++ and qemu-aarch64-static on PATH: install a cross compiler and QEMU.")

lint: $(BUILT)  ## style of Python and C++, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CXX_FILES)
	$(BIN)/lint-imports

types: $(BUILT)  ## strict mypy
	$(BIN)/mypy

kernel-test: $(BUILT)  ## the kernel's own tests, without Python, warnings as errors
	$(call kernel_tests,plain,)

arm-test: $(BUILT) arm-tools  ## the same for 64-bit ARM: cross-compiled, and run by an emulator
	$(call kernel_build,arm,,-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
	  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_EXE_LINKER_FLAGS=-static \
	  -DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64-static)
	$(BIN)/ctest --test-dir build/kernel-arm --parallel 2 --output-on-failure

asan: $(BUILT)  ## the same under the address, undefined-behaviour and thread sanitizers, at once
	$(MAKE) --jobs 2 asan-memory asan-threads

asan-memory: $(BUILT)
	$(call kernel_tests,asan,address$(comma)undefined)

asan-threads: $(BUILT)
	$(call kernel_tests,tsan,thread)

# By the other compiler: no warning, the same bits, and the wheel's tests. It takes minutes, so `make
# test` is without it.
CLANG ?= clang++
clang-test: $(BUILT) $(RELEASE)/.ready  ## kernel, library and wheel by Clang, warnings as errors, for the same bits
	$(call programs,$(CLANG),clang,"This needs clang++ on PATH: install Clang 14 or newer; or name it by CLANG=.")
	$(call kernel_tests,clang,,-DCMAKE_CXX_COMPILER=$(CLANG))
	CXX=$(CLANG) CXXFLAGS=-Werror $(RELEASE)/bin/python packaging/wheels.py --out build/clang $(PYTHON)

comma := ,
define kernel_build
	$(BIN)/cmake -S kernel -B build/kernel-$(1) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
	  -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-Werror -DONECELL_KERNEL_TESTS=ON \
	  -DONECELL_SANITIZE=$(2) $(3) -Wno-dev --log-level=WARNING
	env -u MAKEFLAGS $(BIN)/cmake --build build/kernel-$(1)
endef
define kernel_tests
	$(call kernel_build,$(1),$(2),$(3))
	build/kernel-$(1)/kernel_tests
	build/kernel-$(1)/frozen_tests
	build/kernel-$(1)/apart_tests
	build/kernel-$(1)/golden_tests
	build/kernel-$(1)/lent_tests
	build/kernel-$(1)/worth_tests
	build/kernel-$(1)/library_tests
endef

# Servers and clusters, which only the examples need.
$(VENV)/.examples: $(READY)
	$(PIP) --no-build-isolation --editable '.[torch,mindspore,all,dev,examples]'
	$(PIP) --no-deps resemblyzer  # its weights; what it reads sound with has to be compiled
	touch $(BUILT) $@

# The peers, which only the benchmark needs.
$(VENV)/.bench: $(READY)
	$(PIP) --no-build-isolation --editable '.[torch,mindspore,cli,bench]'
	touch $(BUILT) $@

bench: $(VENV)/.bench $(BUILT)  ## everything against every peer, a quarter of an hour; rewrites its page
	$(BIN)/python benchmarks/run.py --name main
	$(BIN)/python benchmarks/page.py

bench-quick: $(VENV)/.bench $(BUILT)  ## the same in under three minutes, fewer rows and rounds
	$(BIN)/python benchmarks/run.py --quick

# What only a release needs, apart from the frameworks.
$(RELEASE)/.ready: packaging/requirements.txt constraints.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt \
	  --requirement packaging/requirements.txt
	touch $@

version:  ## say which version this is
	@sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml

wheels: $(RELEASE)/.ready workflows  ## what a release has, in dist: built, audited, tried in every CPython here
	$(RELEASE)/bin/python packaging/wheels.py

manylinux: $(RELEASE)/.ready  ## the wheels that are published, in dist: built by cibuildwheel in containers
	$(RELEASE)/bin/cibuildwheel --output-dir dist
	$(RELEASE)/bin/python packaging/audit.py dist/*.whl

# What only a code host reads is held to its schemas.
workflows: $(RELEASE)/.ready
	$(RELEASE)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RELEASE)/bin/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(RELEASE)/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(RELEASE)/bin/cibuildwheel --platform linux --archs x86_64,aarch64 --print-build-identifiers

docs: $(BUILT)  ## the documentation's site in both languages, in build/docs
	$(BIN)/python docs/build.py build/docs

format: $(BUILT)  ## put Python and C++ into shape, and the migrator's table into its page
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_FILES)
	$(BIN)/python -m onecell.migrate.rules.table.page docs/en/reference/conversion-table.md docs/zh/reference/conversion-table.md

clean:  ## remove what was built; the environment too
	rm -rf build dist $(VENV)
