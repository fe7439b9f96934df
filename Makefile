# `make demo` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_OUT ?= out/demo

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types imports unit docs wheel bench measure figures clean

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# pip installs torch on its own first, so that no resolver prefers another build of it.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=python3.12"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet torch --constraint constraints.txt
	$(PIP) install --quiet --editable . --constraint constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) install --quiet --editable '.[dev,docs]' --constraint constraints.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) install --quiet --editable '.[dev,docs,bench]' --constraint constraints.txt
	@touch $@

demo: $(VENV)/.base  ## Simulate a person in a room of music, estimate the pose, write a report.
	$(BIN)/acoustic-sense demo --out $(DEMO_OUT)

test: lint unit docs wheel  ## Everything that CI checks.

lint: $(VENV)/.dev  ## Style, types and import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Rewrite the files in the project's style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit: $(VENV)/.dev  ## The tests.
	$(BIN)/python -m pytest -n 2

docs: $(VENV)/.dev  ## Build the documentation; warnings are errors.
	$(BIN)/python -m mkdocs build --strict --quiet

wheel: $(VENV)/.dev  ## Build the wheel, install it in a clean environment and use it there.
	$(BIN)/python scripts/check_wheel.py

bench: $(VENV)/.bench  ## Measure every speed anew, in 20 minutes. Writes benchmarks/results.
	$(BIN)/python benchmarks/bench.py

measure: $(VENV)/.dev  ## Measure how true everything is anew, nothing trained: an hour.
	$(BIN)/python benchmarks/music_spectra.py
	$(BIN)/python benchmarks/ampl_statistics.py
	$(BIN)/python benchmarks/empty_room.py
	$(BIN)/python benchmarks/physics.py
	$(BIN)/python benchmarks/person_against_bem.py --cache out/truth
	$(BIN)/python benchmarks/motions.py
	$(BIN)/python benchmarks/room_cancelled.py
	$(BIN)/python benchmarks/room_cancelled_study.py
	$(BIN)/python benchmarks/generation.py --memory
	$(BIN)/python docs/how_true.py

figures: $(VENV)/.dev  ## Write tables and pictures of the documentation from benchmarks/results.
	$(BIN)/python docs/how_true.py
	$(BIN)/python benchmarks/results_page.py
	$(BIN)/python benchmarks/shipped_models.py --page-only
	$(BIN)/python benchmarks/ampl_statistics.py --page-only
	$(BIN)/python docs/readme_sections.py

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) build dist site out .mypy_cache .ruff_cache .pytest_cache
