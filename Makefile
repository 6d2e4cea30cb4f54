# The two commands of a new checkout: `make demo` and `make test`. Each first installs what it needs into .venv, once.
PYTHON ?= python3
BIN := .venv/bin
# Without --no-compile, pip writes 400 MB of bytecode, most of it of modules that are never imported.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
# A file's tests run in one process, as they share fixtures; files start in the order of tests/conftest.py.
PARALLEL := -n logical --dist loadfile --no-loadscope-reorder

# Where this is set, each of the processes that tests start would compile all that it imports: 8 s of CPU for TRL.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install demo test quick check clean

install: .venv/installed

# What the demo needs: neither Ray nor the tools of development.
.venv/demo: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "PersonaMath needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) torch
	@$(PIP) --editable '.[demo]'
	@touch $@

.venv/installed: .venv/demo
	@echo "Adding what tests and checks need to .venv (once; a few minutes) ..."
	@$(PIP) --editable '.[dev,train,eval,ray]'
	@touch $@

demo: .venv/demo
	@$(BIN)/personamath demo

test: install
	$(BIN)/pytest $(PARALLEL)

quick: install
	$(BIN)/pytest $(PARALLEL) -m "not slow and not browser and not ray and not vllm" tests/$(ROOM)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy recipes/sft.py
	$(BIN)/lint-imports

clean:
	rm -rf .venv runs/demo runs/demo-simulated .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
