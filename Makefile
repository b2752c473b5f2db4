# Two commands matter to a user: `make demo` and `make test`. Both set up .venv themselves; needs Python 3.11 or newer, nothing else.

PYTHON ?= python3
BIN := .venv/bin
export AGENTICRS_HOME ?= $(CURDIR)/agenticrs-home

.PHONY: demo test lint format ui bench clean

demo: .venv/installed
	$(BIN)/agenticrs reproduce workflows/examples/deepfm.md --baselines lr,dnn,dcnv2 --seeds 3 --trials 2 --epochs 2

test: .venv/installed-test
	$(BIN)/pytest -n auto --dist loadfile

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ui: .venv/installed
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow ui --backend-store-uri sqlite:///$(AGENTICRS_HOME)/mlflow.sqlite

# Training speed beside other libraries, each in a process of its own (`make bench BENCH=--quick` for a small version); the memory
# at 100,000 records; how well it is searched.
bench: .venv/installed .venv-bench/installed
	PYTHONPATH=tests $(BIN)/python -m bench.speed $(BENCH)
	PYTHONPATH=tests $(BIN)/python -m bench.store --server
	PYTHONPATH=tests $(BIN)/python -m bench.recall

clean:
	rm -rf .venv .venv-bench agenticrs-home

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 demo")'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,cluster]'
	touch $@ .venv/installed

.venv-bench/installed: tests/bench/peers.txt
	$(PYTHON) -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r $<
	touch $@
