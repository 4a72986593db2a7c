# Every target installs what it needs first. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test quick lab check bench torture install clean

help:
	@echo "make demo     install, make the demo company, run its cycle and the eleven before it, say where the report is"
	@echo "make test     install and run every test, the notebooks included"
	@echo "make quick    the tests without the slow ones"
	@echo "make lab      open JupyterLab on the notebooks"
	@echo "make check    lint, types, import rule, stored outputs"
	@echo "make torture  1,000 mails through a server that refuses, stalls, drops and lies, by senders that are killed (SENDS=, SEED=)"
	@echo "make bench    speed and size, measured side by side; says how to measure accuracy"

# The locks pin every package with its hash. The project itself is linked, so that an edit counts at once.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sopnb needs Python 3.11 or newer; name it: make PYTHON=python3.12 demo"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing (once; a few minutes on a slow line) …"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed

demo: install
	@$(BIN)/sopnb demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto

quick: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto -m "not slow"

lab: install
	@test -d reports/demo/2026-10/tables || $(BIN)/sopnb demo
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/cycle.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/pages.py
	@echo "accuracy, on any data set: $(BIN)/python benchmarks/accuracy.py --data FILE.parquet --horizon 18 --out FORECASTS.parquet"

SENDS ?= 1000
SEED ?= 1
torture: $(VENV)/.installed-dev
	$(BIN)/python tests/torture.py --sends $(SENDS) --seed $(SEED)

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis
