# Cheeseshop: nothing but Python >= 3.11, make and a package index for pip is needed.
#   make serve    start the index on http://127.0.0.1:8080/   (PORT=, DATA= override)
#   make tests    run everything, in two processes            (TESTS=tests/http, LONG=1, JOBS=0: in this one)
#   make check    ruff and mypy
#   make screenshots   take the pictures of the README anew (needs Chromium, and port 8080)
#   make bench    print the figures, see docs/benchmarks.md   (BENCH="hot zipf --runs 7")
#   make clean    remove the environment and what was built; data stay

PYTHON ?= python3
PORT ?= 8080
DATA ?= .data
TESTS ?= tests
JOBS ?= 2
BENCH ?=
VENV := .venv
BIN := $(VENV)/bin
# Byte code beside the sources, also where the environment has Python write none: half of a start is compiling.
COMPILED := $(BIN)/python -m compileall -q pypi caching legacy_compat templates

.PHONY: serve tests check bench screenshots clean

serve: $(VENV)/.serve
	@exec $(BIN)/cheeseshop serve --port $(PORT) --data $(DATA)

tests: $(VENV)/.tests
	$(BIN)/pytest -n $(JOBS) --no-loadscope-reorder $(if $(LONG),,-m "not long") $(TESTS)

check: $(VENV)/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.tests
	$(BIN)/python -m benchmarks $(BENCH)

screenshots: $(VENV)/.tests
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis twisted/plugins/dropin.cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Cheeseshop needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)

# Each stamp stands for an installation of one extra; it is made anew only when setup.py is newer.
$(VENV)/.serve: setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]'
	@$(COMPILED)
	@touch $@

$(VENV)/.tests: setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@$(COMPILED)
	@touch $@ $(VENV)/.serve
