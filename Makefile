# make demo and make test do all the set-up that they need: Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo check test test-all bench docs-figures clean

help:  ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/.ready  ## install narrows and what developing it needs into .venv

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): PyTorch $$(sed -n 's/^torch==//p' constraints.txt), scikit-learn and the test tools (about 1.5 GB on disk)."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "narrows needs Python 3.11 or later; name one: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: setup  ## train the tutorial's two autoencoders on MNIST and write a page about them
	@$(BIN)/narrows demo

check: setup  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup  ## run the tests
	$(BIN)/pytest -n 2

test-all: setup  ## run the slow tests too, at most 20 minutes
	$(BIN)/pytest -n 2 -m "slow or not slow"

benchmarks/.venv/.ready: benchmarks/requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -m venv benchmarks/.venv
	@benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt -e .
	@touch $@

bench: benchmarks/.venv/.ready  ## measure speed and quality beside other libraries, for hours; goes on where it stopped
	benchmarks/.venv/bin/python benchmarks/peers.py choose run
	benchmarks/.venv/bin/python benchmarks/peak.py
	benchmarks/.venv/bin/python benchmarks/command.py
	benchmarks/.venv/bin/python benchmarks/inference.py
	benchmarks/.venv/bin/python benchmarks/ladder.py
	benchmarks/.venv/bin/python benchmarks/codes.py --long
	benchmarks/.venv/bin/python benchmarks/datasets.py
	benchmarks/.venv/bin/python benchmarks/large.py
	benchmarks/.venv/bin/python benchmarks/maps.py --seeds 5
	benchmarks/.venv/bin/python benchmarks/explorer.py
	benchmarks/.venv/bin/python benchmarks/tables.py
	benchmarks/.venv/bin/python benchmarks/denoising.py --parts mnist self impulse

docs/.venv/.ready: docs/requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -m venv docs/.venv
	@docs/.venv/bin/python -m pip install --quiet -r docs/requirements.txt -e .
	@touch $@

docs-figures: docs/.venv/.ready  ## measure, draw and write the guide's figures, for hours; goes on where it stopped
	docs/.venv/bin/python docs/figures/make.py

clean:  ## delete the environments and the caches
	rm -rf $(VENV) benchmarks/.venv docs/.venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
