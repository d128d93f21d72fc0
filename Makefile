# Everything sets itself up: a fresh machine needs Python 3.11 or newer and make.
#
#   make demo        train on the heart-disease table that comes with the package, and write a report
#   make test        run all tests, the examples in docstrings included
#   make test-modes  run them without the kernels, then with the kernels' portable form (45 minutes)
#   make check       formatting, lint, types, and that generated files are current
#   make kernels     compile native/ again after a change
#   make sanitize    run the kernels' tests under the address, undefined-behaviour and thread sanitizers
#   make results     measure the figures of docs/results.md again
#   make benchmarks  time the training step against other frameworks
#   make clean       remove the virtual environment and what was built

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
NATIVE := $(shell find native -name '*.cc' -o -name '*.h' -o -name CMakeLists.txt)
HEART := src/chainrule/datasets/heart.csv

.DEFAULT_GOAL := help
.PHONY: help demo test test-modes check kernels sanitize results benchmarks clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.ready
	$(BIN)/chainrule fit $(HEART) --target disease

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-modes: $(VENV)/.ready-test
	CHAINRULE_NATIVE=0 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)
	CHAINRULE_ISA=portable $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: $(VENV)/.ready-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/capabilities.py --check

kernels: $(VENV)/.ready-test
	$(BIN)/cmake -S native -B build/kernels -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python \
		-DCHAINRULE_OUTPUT=$(CURDIR)/src/chainrule/_native
	$(BIN)/cmake --build build/kernels --parallel $(JOBS)

sanitize: $(VENV)/.ready-test
	PATH=$(CURDIR)/$(BIN):$$PATH scripts/sanitize

results: $(VENV)/.ready-test
	$(BIN)/python scripts/results.py $(ARGS)

benchmarks: $(VENV)/.ready-test .venv-peers/.ready
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

# Each stamp stands for an installed set of packages; a change of pyproject.toml installs it again.
$(VENV)/.ready: pyproject.toml $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-test: pyproject.toml $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.ready

$(VENV)/.ready-check: pyproject.toml $(NATIVE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@ $(VENV)/.ready $(VENV)/.ready-test

# What chainrule is timed against has an environment of its own; a peer that cannot be installed is reported so.
.venv-peers/.ready: benchmarks/requirements-peers.txt | $(BIN)/python
	$(BIN)/python -m venv .venv-peers
	-sed 's/#.*//; /^ *$$/d' $< | while read -r peer; do \
		.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" || true; done
	@touch $@

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "chainrule needs Python 3.11 or newer, and none was found."; \
		echo "Install one, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "chainrule needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`."; \
		echo "Say where a newer one is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no working venv module."; \
		echo "On Debian and Ubuntu it is a package of its own: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) with `$(PYTHON) --version` (some minutes the first time) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
