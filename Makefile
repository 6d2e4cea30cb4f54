# The two commands of a new checkout: `make demo` and `make test`. Each first installs what it needs into .venv, once.
PYTHON ?= python3
BIN := .venv/bin
# Without --no-compile, pip writes 400 MB of bytecode, most of it of modules that are never imported.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
# A file's tests run in one process, as they share fixtures; files start in the order of tests/conftest.py.
# Half as many processes again as there are cores, because tests also wait: for servers, signals and limits of time.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Where this is set, each of the processes that tests start would compile all that it imports: 8 s of CPU for TRL.
export PYTHONDONTWRITEBYTECODE :=

QUICK := -m "not slow and not browser and not ray and not vllm"
# Tests of what only the extras `train` and `eval` bring.
NEED_TORCH := training evaluation hub/test_push_checks.py hub/test_authors_data.py

.PHONY: install demo test quick quick-base check docs clean

install: .venv/installed

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "PersonaMath needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv
	@touch $@

# What the demo needs: neither Ray nor the tools of development.
.venv/demo: .venv/python pyproject.toml constraints.txt
	@$(PIP) torch
	@$(PIP) --editable '.[demo]'
	@touch $@

.venv/installed: .venv/demo
	@echo "Adding what tests and checks need to .venv (once; a few minutes) ..."
	@$(PIP) --editable '.[dev,serving,train,eval,ray]'
	@touch $@

# The package as a base install has it, with what checks and tests need.
.venv/base: .venv/python pyproject.toml constraints.txt
	@$(PIP) --editable '.[dev,docs]'
	@touch $@

demo: .venv/demo
	@$(BIN)/personamath demo

test: install
	$(BIN)/pytest $(PARALLEL)

quick: install
	$(BIN)/pytest $(PARALLEL) $(QUICK) tests/$(ROOM)

quick-base: .venv/base
	$(BIN)/pytest $(PARALLEL) $(QUICK) $(NEED_TORCH:%=--ignore=tests/%) tests

# The documentation as a site, in site/. The variable silences the notice that Material for MkDocs ends in May 2027.
docs: .venv/base
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: .venv/base docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy recipes/sft.py
	$(BIN)/lint-imports

clean:
	rm -rf .venv site runs/demo runs/demo-simulated .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
