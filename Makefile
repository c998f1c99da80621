# Everything is installed into .venv and nowhere else. `make plan` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help plan test lab check lint types coverage schemas docs bench fuzz lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

plan: $(VENV)/.runtime  ## plan manifests/ against zones/, without a server or the network
	@$(BIN)/reconciler plan || test $$? -eq 3  # 3: nothing failed, and some steps wait for something

test: $(VENV)/.dev  ## run the tests; those that need a name server are skipped where it is missing
	$(BIN)/pytest

lab: $(VENV)/.dev  ## a whole life with real mail servers and 2,000 messages, as root, on Debian; prints the counts
	RECONCILER_REQUIRE_SERVERS=1 RECONCILER_LAB_MESSAGES=2000 $(BIN)/pytest -q tests/e2e/test_mail_lab.py

check: lint types coverage schemas  ## all that CI runs

lint: $(VENV)/.dev  ## ruff and the architecture's import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

coverage: $(VENV)/.dev  ## the quick tests again, with coverage by branch; the pure core at 100 %
	$(BIN)/coverage run -m pytest -q tests/unit tests/property --ignore-glob="*test_simulated*"
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include='$(CORE)'

CORE := reconciler/tables.py,reconciler/manifest/plain.py,reconciler/manifest/forms.py,reconciler/desired.py,reconciler/diff.py,reconciler/allowlist_diff.py,reconciler/addresses.py,reconciler/plan.py,reconciler/steps.py,reconciler/settled.py,reconciler/seen.py,reconciler/neighbours.py,reconciler/decide.py,reconciler/history.py,reconciler/orphans.py,reconciler/selection.py,reconciler/changed/compare.py,reconciler/changed/scope.py,reconciler/safety.py,reconciler/declaration.py,reconciler/continuation.py,reconciler/service_plan/*,reconciler/mailflow/*,reconciler/proof/*,reconciler/drift/*,reconciler/review.py,reconciler/limits/*,reconciler/shards.py,reconciler/merge/*,reconciler/inverse.py,reconciler/gates/*,reconciler/state.py,reconciler/names.py

schemas: $(VENV)/.dev  ## the published schemas are those of the code
	@for kind in manifest settings plan apply drift; do $(BIN)/reconciler schema $$kind | diff -u docs/schemas/$$kind.schema.json - || exit 1; done

docs: $(VENV)/.dev  ## the documentation's site, into dist/documentation; a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.dev  ## speed and memory on loopback beside other tools, in one run of about half an hour; BENCH=--quick
	$(BIN)/python benchmarks/bench.py $(BENCH)

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.dev  ## answers and YAML against slower readers, FUZZ_SECONDS (60) each; findings are in dist/fuzz
	@mkdir -p dist/fuzz
	cd dist/fuzz && $(CURDIR)/$(BIN)/python $(CURDIR)/tests/fuzz/fuzz_walker.py walker -max_total_time=$(FUZZ_SECONDS)
	cd dist/fuzz && $(CURDIR)/$(BIN)/python $(CURDIR)/tests/fuzz/fuzz_yaml.py yaml -max_total_time=$(FUZZ_SECONDS)

lock: $(VENV)/.dev  ## resolve the dependencies anew, with hashes and without the address of an index
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --all-extras --group build --group dev -o requirements-dev.lock pyproject.toml
	# what is installed, without and with extras: the versions that are tested
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group build -c requirements-dev.lock -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --all-extras --group build -c requirements-dev.lock -o requirements-extras.lock pyproject.toml

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV)" >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements-schemas.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) with the workshop's tools" >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --require-hashes --no-deps -r requirements-schemas.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.runtime

clean:  ## remove .venv and what tools leave behind
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
