# Hive's commands. Needs GNU make, git and CPython 3.11 or newer with pip and venv; the rest is
# installed into .venv, from the pinned versions in constraints.txt.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# What is formatted, linted and type-checked; a folder that is not there is left out.
CODE := $(wildcard hive roles tests examples)

# Servers of others to test against: what is installed here is none of Hive's.
PEERS := .peers

.PHONY: help setup demo test test-long test-peers lock

help: ## Say what can be made
	@echo "make WHAT, where WHAT is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: $(READY) ## Create .venv with everything pinned in constraints.txt, and Hive itself

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "setup: no python3.11 or python3 found; Hive needs CPython 3.11 or newer" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "setup: $(PYTHON) is `"$(PYTHON)" --version 2>&1`; Hive needs CPython 3.11 or newer" \
	    "(make setup PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@echo "setup: creating $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@echo "setup: installing what constraints.txt pins (a minute the first time)"
	@$(PIP) install --require-hashes -r constraints.txt
	@echo "setup: installing Hive from this folder"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: setup ## Let the team repair a small broken project, offline
	@echo "demo: $(BIN)/hive demo"
	@$(BIN)/hive demo

test: setup ## Check everything: format, lint, types, import contracts, tests, docs' examples
	@echo "test: format (ruff format --check)"
	@$(BIN)/ruff format --check --quiet $(CODE)
	@echo "test: lint (ruff check)"
	@$(BIN)/ruff check --quiet $(CODE)
	@echo "test: types (mypy --strict)"
	@$(BIN)/mypy $(CODE)
	@echo "test: import contracts (lint-imports)"
	@$(BIN)/lint-imports --no-logo
	@echo "test: tests and the docs' examples (pytest)"
	@$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not long and not peers"

test-long: setup ## Run the tests that take minutes
	@echo "test-long: the long tests (pytest -m long)"
	@$(BIN)/python -m pytest -q -n auto --dist loadfile -m long

$(PEERS)/engine: constraints-peers.txt | $(READY)
	@echo "test-peers: installing what constraints-peers.txt pins into $(PEERS)/venv"
	@$(BIN)/python -m venv --clear $(PEERS)/venv
	@$(PEERS)/venv/bin/python -m pip --disable-pip-version-check -qq install --only-binary :all: \
	  --require-hashes -r constraints-peers.txt
	@touch $@

$(PEERS)/aimock: tests/peers/package.json tests/peers/package-lock.json tests/peers/.npmrc
	@echo "test-peers: installing what tests/peers/package-lock.json pins into $(PEERS)/node"
	@mkdir -p $(PEERS)/node && cp $^ $(PEERS)/node
	@cd $(PEERS)/node && npm ci --silent --ignore-scripts
	@touch $@

test-peers: setup $(PEERS)/engine ## Run the models against servers that others wrote
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	  $(MAKE) $(PEERS)/aimock && peers="engine aimock"; \
	else \
	  echo "test-peers: no node and npm found, so aimock is left out; Node 20 or newer has both" >&2; \
	  peers="engine"; \
	fi && echo "test-peers: the tests with peers (pytest -m peers): $$peers" && \
	HIVE_PEERS="$$peers" $(BIN)/python -m pytest -q -m peers

lock: $(BIN)/python ## Pin the newest versions pyproject.toml allows in constraints*.txt
	@echo "lock: resolving pyproject.toml (uv, in .lock-venv)"
	@test -x .lock-venv/bin/uv || { $(BIN)/python -m venv .lock-venv && .lock-venv/bin/python -m pip -qq install uv; }
	@{ echo "# Every distribution of the development environment, pinned, with the digests of its files."; \
	   echo "# Written by \`make lock\`; installed by \`make setup\`, which refuses a file with another digest."; \
	   .lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	     --no-header --no-annotate --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml; \
	 } > constraints.txt.new && mv constraints.txt.new constraints.txt
	@{ echo "# The inference engine that \`make test-peers\` runs, and what writes its model, with digests."; \
	   echo "# Written by \`make lock\`; installed beside the environment of Hive, never in it."; \
	   printf 'gguf\nxllamacpp\n' | .lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	     --generate-hashes --upgrade --no-header --no-annotate --no-emit-index-url --no-emit-find-links -; \
	 } > constraints-peers.txt.new && mv constraints-peers.txt.new constraints-peers.txt
