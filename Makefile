# make quickstart | test | lint | format | docs | parity GOLDEN=DIR [CASES="a b"] | assets
PYTHON ?= python3
BIN := .venv/bin
RUN := runs/quickstart

.PHONY: install quickstart test lint format docs parity assets clean

install: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

quickstart: install
	$(BIN)/python -m sginpaint.cli.quickstart $(RUN)

# Not the files with most tests first: those with few are the slow ones, and one
# of them at the end leaves a core idle.
test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

# Into docs/_build/html; every warning is an error.
docs: .venv/installed-docs
	$(BIN)/python -m sphinx -W -n --keep-going --quiet docs docs/_build/html
	$(BIN)/python -m docs.extension.links docs/_build/html

parity: install
	$(BIN)/python -m tests.parity --golden $(GOLDEN) $(if $(CASES),--cases $(CASES))

# What the quickstart shows as "trained longer": about an hour on two cores.
assets: install
	$(BIN)/python train.py --config=configs/classifier.py:quick --config.steps=800 --workdir=runs/spl_scenes_teacher
	$(BIN)/python -m sginpaint precompute --config=configs/spl_scenes.py --config.teacher.path=runs/spl_scenes_teacher
	$(BIN)/python train.py --config=configs/spl_scenes.py --config.teacher.path=runs/spl_scenes_teacher --workdir=runs/spl_scenes
	$(BIN)/python -c "from sginpaint import checkpoints; checkpoints.slim('runs/spl_scenes', 'assets/spl_scenes', dtype='bfloat16')"

clean:
	rm -rf runs docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache
