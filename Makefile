# make quickstart | test | lint | format | parity GOLDEN=DIR [CASES="a b"] | assets
PYTHON ?= python3
BIN := .venv/bin
RUN := runs/quickstart

.PHONY: install quickstart test lint format parity assets clean

install: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

quickstart: install
	$(BIN)/python -m sginpaint.cli.quickstart $(RUN)

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

parity: install
	$(BIN)/python -m tests.parity --golden $(GOLDEN) $(if $(CASES),--cases $(CASES))

clean:
	rm -rf runs .pytest_cache .mypy_cache .ruff_cache
