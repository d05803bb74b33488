# make demo and make test do all the set-up that they need: Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo check test clean

help:  ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(VENV)/.ready  ## install narrows and what developing it needs into .venv

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): PyTorch $$(sed -n 's/^torch==//p' constraints.txt), scikit-learn, matplotlib and the test tools (about 1.5 GB on disk)."
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

clean:  ## delete the environment and the caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
