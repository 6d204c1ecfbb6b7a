# Busbar. `make` lists the targets; `make demo` and `make test` are all that a first look needs.
#
# Everything lives in .venv. The packages are pinned by hash in requirements*.txt; the project itself is put on the
# path of .venv by a .pth file, so that nothing is built and no compiler is needed.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
WORKERS ?= 4

# The first of these that runs and is new enough. Another one: make setup PYTHON=/path/to/python3
ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c '$(ENOUGH)' >/dev/null 2>&1 && { echo $$name; break; }; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

# The command `busbar`. Its first lines make the shell start the Python beside it, whatever the path looks like.
define LAUNCHER
#!/bin/sh
'''exec' "$$(dirname "$$(readlink -f "$$0")")/python" -P "$$0" "$$@"
' '''
import sys

from hub.cli import main

sys.exit(main())
endef
export LAUNCHER

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench openapi lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'

setup: $(STAMP) ## create .venv and install the pinned packages; does nothing when that is up to date

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Busbar needs Python 3.11 or newer, and none was found. Install it, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(BIN)/python -c '$(ENOUGH)' >/dev/null 2>&1 && $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| { echo "Creating $(VENV) with $(PYTHON)"; $(PYTHON) -m venv --clear $(VENV); } \
		|| { echo "This Python cannot make an environment with pip. On Debian and Ubuntu install its package python3-venv (or python3.11-venv), then run make again." >&2; exit 1; }
	@echo "Installing the pinned packages (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt \
		|| { echo "The packages could not be installed: see the lines above. The package index must be reachable." >&2; exit 1; }
	@$(BIN)/python -c "import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path('purelib'), 'busbar.pth').write_text('../../../..\n')"
	@printf '%s\n' "$$LAUNCHER" > $(BIN)/busbar && chmod +x $(BIN)/busbar
	@touch $@

demo: setup ## a driver of another network charges here, live; stays up until Ctrl-C
	@$(BIN)/busbar demo $(ARGS)

# Some hundred processes are started: what is compiled is kept for the next, even where the environment says otherwise.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup ## the whole test suite (ARGS="tests/modules -x" for a part)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: setup ## ruff and mypy, as the pipeline runs them
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup ## let ruff sort, mend and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## measure on this machine
	@$(BIN)/python -m bench $(ARGS)

openapi: setup ## write openapi/ again from the table of operations
	@$(BIN)/busbar openapi $(ARGS)

lock: ## write requirements*.txt again from pyproject.toml (needs uv, or pip-compile of pip-tools)
	@if command -v uv >/dev/null; then \
		lock="uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade"; \
	elif command -v pip-compile >/dev/null; then \
		lock="pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade"; \
	else \
		echo "make lock needs uv or pip-compile (pip-tools) on the path" >&2; exit 1; \
	fi; \
	$$lock --output-file requirements.txt pyproject.toml && \
	$$lock --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
