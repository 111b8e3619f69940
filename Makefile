# Every command a person runs in this repository. `make help` lists them.
# Works with GNU make 3.81 (macOS) and later. Nothing is installed outside .venv and target.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# The Python that makes .venv; found by tools/find_python.sh when empty.
PYTHON ?=
CARGO ?= cargo
# How many test processes run side by side; one more than two processors, for some tests wait.
WORKERS ?= 3
# How long `make fuzz` looks for crashers.
FUZZ_SECONDS ?= 120

BIN := .venv/bin
STAMPS := .venv/stamps
EXTENSION_SOURCES := $(wildcard Cargo.toml Cargo.lock) \
	$(shell find crates \( -name target -o -name fuzz -o -name tests \) -prune -o -type f \( -name '*.rs' -o -name 'Cargo.toml' \) -print)

# maturin installs into the environment that VIRTUAL_ENV names and refuses to choose when conda is active as well.
export VIRTUAL_ENV := $(CURDIR)/.venv
export PYO3_PYTHON := $(CURDIR)/.venv/bin/python
unexport CONDA_PREFIX
# Cargo would ask a `make -j` above it for leave to work, which answers only those it calls as makes.
unexport MAKEFLAGS MFLAGS
# Tests start isthmus some hundred times; compiled modules must be kept between them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo panamia petsitting test test-rust test-python quick soak lint style refs types pyright stub format bench fuzz docs clean need-rust

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMPS)/extension ## make .venv, install dependencies, build the Rust core (only what changed)

$(BIN)/python:
	@python="$$(sh tools/find_python.sh "$(PYTHON)")" || exit 1; \
	echo "isthmus: making .venv with $$python"; \
	"$$python" -m venv --clear .venv

$(STAMPS)/dependencies: pyproject.toml | $(BIN)/python
	@echo "isthmus: installing what development needs into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/extension: $(STAMPS)/dependencies $(EXTENSION_SOURCES)
	@CARGO="$(CARGO)" sh tools/need_rust.sh
	@echo "isthmus: building the Rust core and installing isthmus into .venv (the first build takes a few minutes)"
	@PIP_QUIET=1 sh tools/quietly.sh $(BIN)/maturin develop --release --quiet
	@touch $@

need-rust:
	@CARGO="$(CARGO)" sh tools/need_rust.sh

demo: setup ## copy a sample MongoDB dump into an embedded PostgreSQL and show where everything went
	@$(BIN)/isthmus demo
	@echo "(isthmus is in .venv/bin; put it on the PATH of this shell: . .venv/bin/activate)"

panamia: setup ## start Pana MIA's service on embedded servers with generated people, and say what to try
	@$(BIN)/python -m apps.panamia.demo

petsitting: setup ## the same with its sidecar, pet sitting: two services, one sign-in
	@$(BIN)/python -m apps.panamia.demo.petsitting

test: test-rust test-python ## all tests at reduced size: Rust, then Python

test-rust: $(STAMPS)/dependencies need-rust
	@echo "isthmus: testing the Rust core"
	@$(CARGO) test --quiet --package isthmus-core
	@libraries="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR") or "")')"; \
	LD_LIBRARY_PATH="$$libraries:$$LD_LIBRARY_PATH" DYLD_FALLBACK_LIBRARY_PATH="$$libraries:/usr/lib" \
	$(CARGO) test --quiet --package isthmus-py

test-python: setup
	@echo "isthmus: testing everything else in $(WORKERS) processes"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not soak"

quick: setup ## the tests that answer within seconds
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not soak" --ignore=tests/chaos

soak: setup ## tests at full size; result lines go to bench/results
	@mkdir -p build bench/results
	@$(BIN)/python -m pytest -m soak -p no:randomly --timeout=0 --junitxml=build/soak.xml; outcome=$$?; \
	$(BIN)/python -m tools.soak_results build/soak.xml bench/results/soak.jsonl && exit $$outcome

lint: style refs ## ruff, clippy and isthmus refs check find mistakes; formatting is checked, not changed

style: $(STAMPS)/dependencies need-rust
	@echo "isthmus: ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "isthmus: cargo fmt and clippy"
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings

refs: setup
	@echo "isthmus: references of Pana MIA's documents against its tables"
	@cd apps/panamia && PYTHONPATH="$(CURDIR)" "$(CURDIR)/$(BIN)/isthmus" refs check

types: pyright stub ## pyright (strict in src) and the stub of the Rust module against the module

pyright: $(STAMPS)/dependencies
	@echo "isthmus: pyright"
	@$(BIN)/pyright

stub: setup
	@echo "isthmus: isthmus._rust against its stub"
	@$(BIN)/python -m tools.stub_check

format: setup ## rewrite sources in the project's format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(CARGO) fmt --all

bench: setup ## measure speed and memory; prints JSON lines
	@$(BIN)/python -m bench.run

fuzz: setup ## look for inputs that crash the core, for FUZZ_SECONDS seconds
	@CARGO="$(CARGO)" sh tools/fuzz.sh $(BIN)/python $(FUZZ_SECONDS)

docs: setup ## write the generated reference pages again
	@$(BIN)/python -m tools.docs

clean: ## remove everything that was built, .venv included
	@echo "isthmus: removing .venv, target, build and caches"
	@rm -rf .venv target build dist .pytest_cache .ruff_cache .hypothesis
	@find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
	@find src -name '_rust*.so' -exec rm -f {} + 2>/dev/null || true
