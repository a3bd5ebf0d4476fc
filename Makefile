# make install   find Python 3.11, make .venv, install the project and its tools (done once)
# make explore   explore for 5 minutes; MINUTES, ARGS="--seed 1" and VOYAGER_HOME change it
# make test      all tests but the slow ones
# make check     style, types and import contracts
# make bench     cost of the judge, certification throughput, search with the library on and off
# make library   explore anew and put the library into examples/library; ARGS="HOME" takes that home
# make wheel     build the wheel that exported packages prove themselves with, into dist
# make clean     remove .venv, caches and build leftovers (never a home)

PYTHON ?=
BIN := .venv/bin
STAMP := .venv/.installed
PACKAGES := voyager skill_store curriculum env
WORKERS ?= 2
MINUTES ?= 5

.PHONY: help install explore test check format bench library wheel clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@python="$$(PYTHON='$(PYTHON)' sh scripts/find_python.sh)" || exit 1; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
		echo "making .venv with $$python"; \
		"$$python" -m venv --clear .venv || exit 1; \
	fi
	@echo "installing (a minute or two the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,semantic]'
	@touch $(STAMP)

explore: $(STAMP)
	@$(BIN)/voyager explore --minutes $(MINUTES) $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

library: $(STAMP)
	$(BIN)/python scripts/make_example_library.py $(ARGS)

wheel: $(STAMP)
	$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis build dist
	find $(PACKAGES) tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +
