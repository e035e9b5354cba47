# Each target makes .venv and installs what is missing by itself.
PYTHON ?= python3
BIN := .venv/bin
DATA ?= ../shared/data

.PHONY: chat query sync eval test bench check format

chat: .venv/installed
	$(BIN)/rag chat $(ARGS)

query: .venv/installed
	@$(BIN)/rag query "$${Q:?say make query Q=\"your question\"}" $(ARGS)

sync: .venv/installed
	$(BIN)/rag sync $(ARGS)

eval: .venv/installed
	$(BIN)/rag eval $(ARGS)

test: .venv/dev
	$(BIN)/pytest $(ARGS)

bench: .venv/dev
	$(BIN)/python -m evals.figures --data $(DATA) $(ARGS)

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,mcp]'
	@touch $@ .venv/installed
