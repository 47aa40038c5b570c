# Every target makes .venv itself when it is needed. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
export PIP_FLAGS ?=
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONWARNINGS := ignore::DeprecationWarning:zmq,ignore::DeprecationWarning:jupyter_client

READY := .venv/.ready

.PHONY: help setup book test test-trains test-again test-properties test-portable rerun reference browser bench figure lint format clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## make .venv with the exact versions of requirements.lock

$(READY): pyproject.toml requirements.lock .ci/install.py
	@$(PYTHON) .ci/install.py .venv requirements.lock --editable
	@touch $@

.PHONY: lock test-core test-init torture
lock: $(READY) ## renew the lock files; WITH="--upgrade-package sphinx" takes newer versions
	@python .ci/lock.py $(WITH)

book: $(READY) ## re-run the flagship experiment on this machine and render the book
	@echo "Re-running the flagship experiment on this machine, from an empty store …"
	@store=$$(mktemp -d) && trap 'rm -rf "$$store"' EXIT && began=$$SECONDS && \
	  LRLAB_CACHE="$$store" lrlab live && ran=$$SECONDS && echo "Rendering the book …" && lrlab book && \
	  echo "live run $$((ran - began)) s, rendering $$((SECONDS - ran)) s, in all $$((SECONDS - began)) s"
	@echo "Done. Open it with:  $(BIN)/lrlab open   (or _build/html/index.html in a browser)"

# Notebooks and types are looked at beside the tests, which give way to them: while one waits,
# others compute. What they say is shown when the tests are done.
test: $(READY) ## lint, unit and property tests, notebooks (nbval), the book and the browser
	@python -m compileall -q lrlab; $(LINT) || exit; \
	  said=$$(mktemp -d); trap 'kill $$(jobs -p) 2>/dev/null; rm -rf "$$said"' EXIT; \
	  mypy > "$$said/types" 2>&1 & types=$$!; \
	  lrlab reference --check > "$$said/notebooks" 2>&1 & notebooks=$$!; \
	  nice pytest -n 4 --dist loadfile --no-loadscope-reorder --durations=10 --durations-min=5; \
	  tests=$$?; tested=$$SECONDS; wait $$types; types=$$?; wait $$notebooks; notebooks=$$?; \
	  cat "$$said/types" "$$said/notebooks"; \
	  echo "tests done after $$tested s, with types and notebooks after $$SECONDS s"; \
	  exit $$((tests | types | notebooks))

test-trains: $(READY) ## what trains, a second time: on the stand-in for a foreign processor
	@LRLAB_TEST_PROFILE=foreign pytest -q -n 2 --dist loadfile -m "trains and not slow" tests

test-again: $(READY) ## the quickest entry of the log that trains, executed again and compared
	@pytest -q -m again tests/labbook/test_log.py

test-properties: $(READY) ## properties of drawn examples: many, and new ones each time
	@pytest -q -n 2 --hypothesis-profile=long -m hypothesis tests

torture: $(READY) ## kill, misspell and damage whatever can be, for about 15 minutes; WITH="--minutes 60"
	@python tests/torture $(WITH)

test-core: $(READY) ## the wheel, and what runs with the core's seven packages alone
	@pytest tests/installed/test_core.py tests/installed/test_wheel.py

test-init: $(READY) ## a laboratory of one's own, made by the wheel outside of this repository
	@pytest tests/installed/test_init.py

test-portable: test-trains ## the same, and the notebooks
	@lrlab reference --check --profile foreign

rerun: $(READY) ## execute every entry of the log again and compare
	@lrlab rerun

reference: $(READY) ## renew the references of the smoke notebooks: all, or NB=name
	@lrlab reference $(NB)

figure: $(READY) ## renew the figure that the README shows from the log
	@python -c "from pathlib import Path; from lrlab.labbook.site import _front, site; Path('book/usable-band.png').write_bytes(_front.headline(site.Site(Path.cwd())).png)"

browser: ## install Chromium for the browser test (Debian, Ubuntu; needs root)
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
	@command -v chromium chromium-browser google-chrome | head -n 1

# Ray lives in an environment of its own that sees ours, in which nothing is installed.
RAY := .venv-ray/bin/python
RAY_READY := .venv-ray/.ready

$(RAY_READY): benchmarks/requirements-ray.lock $(READY)
	@rm -rf .venv-ray
	@$(PYTHON) .ci/install.py .venv-ray benchmarks/requirements-ray.lock --without-torch
	@where='import sysconfig; print(sysconfig.get_path("purelib"))' && \
	  { $(BIN)/python -c "$$where"; echo "$(CURDIR)"; } > "$$($(RAY) -c "$$where")/beside.pth"
	@touch $@

bench: $(READY) $(RAY_READY) ## measure speed as ratios within one run, and the long comparisons
	@for file in benchmarks/[a-z]*.py; do echo "── $$file"; python "$$file" || exit 1; done

LINT := ruff check . && ruff format --check . && \
  { said=$$(lint-imports --no-logo --no-cache 2>&1) || { echo "$$said"; false; }; } && \
  grep "^Contracts:" <<< "$$said"

lint: $(READY) ## ruff, the arrows between the rooms of lrlab/, and its types
	@mypy & types=$$!; $(LINT); others=$$?; wait $$types && exit $$others

format: $(READY) ## let ruff format and mend
	@ruff check --fix . ; ruff format .

clean: ## remove what was built and trained here; .venv stays
	rm -rf _build .lrlab book/live .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info

# The other libraries live in an environment of their own, so that theirs is not ours.
PEERS := .venv-peers/bin/python
PEERS_READY := .venv-peers/.ready

.PHONY: test-peers golden

$(PEERS_READY): tests/peers/requirements.lock tests/peers/requirements-nodeps.lock
	@$(PYTHON) .ci/install.py .venv-peers tests/peers/requirements-nodeps.lock --without-torch
	@$(PYTHON) .ci/install.py .venv-peers tests/peers/requirements.lock
	@touch $@

test-peers: $(PEERS_READY) ## schedules against transformers, timm, optax, Keras; as_torch and range tests in Lightning and a Trainer
	@OMP_NUM_THREADS=1 $(PEERS) -m pytest --confcutdir=tests/peers tests/peers -q

golden: $(PEERS_READY) ## renew the stored values of the other libraries and the book's parity table
	@OMP_NUM_THREADS=1 LRLAB_GOLDEN=write $(PEERS) -m pytest --confcutdir=tests/peers tests/peers/test_parity.py tests/peers/test_sweep_rules.py tests/peers/test_wandb_parameters.py -q
