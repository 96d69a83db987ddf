# The two commands for a newcomer: `make demo` and `make test`. Both install what they need into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The first Python at hand that is new enough; say PYTHON=/path/to/python to choose another.
PYTHON ?= $(firstword $(foreach python,python3 python3.11 python3.12 python3.13 python3.14,$(shell \
	$(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))))
BIN := .venv/bin
STAMP := .venv/installed.stamp

.PHONY: help install demo test prove services lint bench

help: ## Show the targets
	@sed -nE 's/^([a-z]+):.*## (.*)$$/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 18

install: $(STAMP) ## Install the locked dependencies and Arus into .venv

# The stamp makes a second `make` do nothing. uv, where present and working, only saves time. The lock names every
# package, so nothing is resolved again: pip, asked to, looks at the newest coverage for pytest-cov's `coverage[toml]`
# and refuses it for its missing hash on the day that one is released. `pip check` says if the lock had a gap.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Arus needs Python 3.11 or newer: install one, or say make PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (the first time takes about a minute) ..." >&2
	@uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock 2>/dev/null \
		|| $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --disable-pip-version-check >&2
	@touch $@

demo: $(STAMP) ## Run the hub with its simulated systems (ONCE=1: to the end, then a summary)
	@$(BIN)/arus demo $(if $(filter-out 0,$(ONCE)),--once)

test: $(STAMP) ## Run every test that can run here, with the branch coverage of bus
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term $(ARGS)

prove: $(STAMP) ## Run the full proof: every fault in both ways of running, and every planted bug (more than an hour)
	@ARUS_PROVE=all $(BIN)/python -m pytest -m "" --no-cov tests/proof tests/faults tests/processes/test_bench.py $(ARGS)

services: ## Install the servers that the tests start privately, where they are missing (apt)
	@.ci/services

lint: $(STAMP) ## Check style, types, import rules and the shape of the tree
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q tests/house/test_shape.py

bench: $(STAMP) ## Measure acceptance and end-to-end rates on this machine
	@$(BIN)/arus bench $(ARGS)
