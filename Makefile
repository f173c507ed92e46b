# `make` or `make help` lists what there is. Everything made lies in .venv, .cache, build and dist; `make clean` removes it.

PYTHON   ?= python3
BIN      := .venv/bin
DEV_LOCK := .ci/requirements-dev.lock
RUN_LOCK := installer/requirements.lock
HOST_PACKAGES := tests/debian-packages.txt tests/lab/debian-packages.txt
ROOT     := $(filter 0,$(shell id -u))
ARGS     ?=
#: What says how much of the code the tests reach; it slows them by a third.
COVER    ?= --cov --cov-report=term
#: Processes that tests run in, beside each other. The lab's are in three of them, which often wait for their laptops:
#: where there is a lab (as root) there are three more than cores.
JOBS     ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 1) + $(if $(ROOT),3,0))))

# Locks hold plain PyPI releases: no index, mirror or constraint of this machine gets a say in them. They are installed
# with --no-deps: they name everything, and pip that resolves anyway stumbles over a `package[extra]` with a newer release.
UV       := uv==0.13.9
COMPILE  := build/uv/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
            --no-header --no-annotate --only-binary :all: $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help venv demo test check bench lab soak system-packages bundle format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2} /^#> / {printf "  %23s%s\n", "", substr($$0, 4)}' \
	    $(firstword $(MAKEFILE_LIST))

venv: .venv/.stamp ## .venv with the locked dependencies and the project, editable

.venv/.locked: $(DEV_LOCK)
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $(DEV_LOCK)
	@touch $@

.venv/.stamp: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

demo: venv ## the whole story in a folder, nothing outside touched
#> SABOTAGE=n breaks step n, and the demonstration must notice: `bookbag demo` exits 4,
#> which make shows as "Error 4" (make itself then exits 2, as it does for any failure)
	@$(BIN)/bookbag demo $(if $(SABOTAGE),--sabotage $(SABOTAGE)) $(ARGS)

test: venv $(if $(ROOT),system-packages) ## the tests with coverage, the longest sampled (soak runs them whole); as root the lab too
	@$(if $(ROOT),,echo "make test: not root, so the lab (tests marked lab) is left out")
	$(BIN)/python -m pytest -m "$(if $(ROOT),not bench,not bench and not lab)" -n $(JOBS) --no-loadscope-reorder $(COVER) $(ARGS)

check: venv ## style, types, who imports whom, rules of the house; under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/import-linter
	$(BIN)/python -m pytest -q tests/architecture

bench: venv ## measure against the budgets, each beside its floor or peer
	$(BIN)/python -m tests.bench $(ARGS)

lab: venv system-packages ## only the tests that boot laptops (root, Debian)
	$(BIN)/python -m pytest -m "lab and not bench" $(ARGS)

# Two idle cores: 1,100 rounds of a killed laptop at 2.2 s, 2,000 lives with an evil mirror at 1 s, a refresh met
# by 700 faults at 1.2 s and 2,200 power cuts at 0.5 s, orders by 900 and 3,100 at 0.9 and 0.1 s, a million files
# on a stick: 40 + 33 + 14 + 18 + 14 + 5 + 3 minutes; locks and policy cut at every call, every attack on the installed
# laptop, every sabotage of the demonstration, real books in a browser: some 20 more.
soak: venv $(if $(ROOT),system-packages) ## the long tests at full length: about two hours
#> on two idle cores; at the end it says how many rounds, states and kills that were
	$(BIN)/python -m pytest -v -m soak --soak=full -n $(JOBS) --no-loadscope-reorder $(ARGS)

system-packages: ## host programs the tests use (root; Debian and its kin, else it says so)
	@.ci/system-packages $(wildcard $(HOST_PACKAGES))

bundle: venv ## dist/bookbag-VERSION.tar.gz: what a laptop needs to install Bookbag, offline
	@installer/bundle

format: venv ## let ruff rewrite what it can
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

lock: build/uv/bin/uv ## write both lock files again; UPGRADE=1 takes newer releases
	$(COMPILE) pyproject.toml --output-file $(RUN_LOCK)
	$(COMPILE) pyproject.toml --group dev --constraints $(RUN_LOCK) --output-file $(DEV_LOCK)

build/uv/bin/uv:
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check $(UV)

clean: ## remove everything that was made
	rm -rf .venv .cache build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
