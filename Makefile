# Everything starts here: `make demo` and `make test` set up what they need, and need nothing done before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install -q --no-compile
LOCK := $(BIN)/uv pip compile pyproject.toml -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate
SHELL := /bin/sh
export PYTHONUTF8 := 1
# Compiled modules are kept, whatever the surroundings say, and beside the packages instead of in the tree: the suite
# starts many processes, and without them each compiles everything anew.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache

.DEFAULT_GOAL := help
.PHONY: help demo test lint types tests setup bench pages vendor lock clean distclean

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(VENV)/.run ## run the main job on a made region; results in out/
	@$(BIN)/python -m api.cli.main demo --out $(OUT)

test: lint types tests ## lint, types, import direction, and the whole test suite

setup: $(VENV)/.dev ## install the pinned development packages into .venv

lint: $(VENV)/.dev ## style, format and import direction
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo 2>&1

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

# By the order of the folders, which begins with the dear ones, and not by the number of tests in a file.
tests: $(VENV)/.dev ## pytest on two cores
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.dev ## benchmarks side by side with peers; prints ratios
	@$(BIN)/python -m bench

pages: $(VENV)/.dev ## write what is generated in docs/ anew: openapi.json, access.md, pool-health.png
	@$(BIN)/python -m api.http.openapi
	@$(BIN)/python -m api.http.access_table
	@$(BIN)/python -m bench.pool_health_picture

vendor: $(VENV)/.dev ## copy what the page ships from npm packages (needs npm) to api/page/static/vendor
	@$(BIN)/python -m api.page.vendor

lock: $(VENV)/.dev ## write requirements/ anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@$(LOCK) $(if $(UPGRADE),--upgrade) -o requirements/run.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --group dev -c requirements/run.txt -o requirements/dev.txt

clean: ## remove results and caches
	@rm -rf $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find solver expert_pool api tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## the same, and .venv
	@rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt | $(BIN)/python
	@echo "installing the pinned run-time packages into $(VENV) (once, about a minute) ..."
	@$(INSTALL) --no-deps --require-hashes -r requirements/run.txt
	@$(BIN)/python requirements/link.py
	@touch $@

# The development pins hold the run-time pins, so this serves both.
$(VENV)/.dev: requirements/dev.txt requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "installing the pinned development packages into $(VENV) (once, about two minutes) ..."
	@$(INSTALL) --no-deps --require-hashes -r requirements/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run $@
