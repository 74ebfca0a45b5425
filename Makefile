# Every target makes the virtual environment first, if the lock has changed since it was made.
SHELL := /bin/bash -eu -o pipefail
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.11
CONFIG ?= configs/chat.py
WORKDIR ?= runs/chat
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
# The environment counts as made once this file exists; its name is the hash of the lock. It is
# written last, so an interrupted installation starts afresh.
STAMP := $(VENV)/.locked-$(shell cut -c1-16 <<<"$$(sha256sum requirements.txt)")

.PHONY: help
help:  ## print the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo "Variables: CONFIG=$(CONFIG) WORKDIR=$(WORKDIR) ARGS='--config.KEY=VALUE ...'"

.PHONY: train
train: $(STAMP)  ## prepare the data and train (CONFIG, WORKDIR, ARGS)
	$(RUN) -m bin.train --config='$(CONFIG)' --workdir='$(WORKDIR)' $(ARGS)

.PHONY: test
test: $(STAMP)  ## run the tests with pytest (ARGS, for example ARGS=tests/compression)
	$(RUN) -m pytest -q -n 2 --dist loadfile $(ARGS)

.PHONY: lint
lint: $(STAMP)  ## check style and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(RUN) -m tools.build_files --check
	$(RUN) -m tools.check_comparisons

.PHONY: format
format: $(STAMP)  ## format the code, and mend what ruff can mend
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

.PHONY: build-files
build-files: $(STAMP)  ## write the BUILD files anew, from the imports
	$(RUN) -m tools.build_files

.PHONY: typecheck
typecheck: $(STAMP)  ## check the types
	$(VENV)/bin/mypy

.PHONY: bazel-test
bazel-test: $(STAMP)  ## run the tests with Bazel (4.2.3 of Debian, or 7 and newer)
	@command -v bazel >/dev/null || { echo >&2 "bazel is missing: apt-get install --no-install-recommends bazel-bootstrap"; exit 1; }
	trap 'bazel shutdown' EXIT; PATH="$(CURDIR)/$(VENV)/bin:$$PATH" bazel test //... $(ARGS)

.PHONY: lock
lock:  ## resolve requirements.in and overrides.txt into requirements.txt (needs uv)
	@command -v uv >/dev/null || { echo >&2 "uv is missing: $(PYTHON) -m pip install uv"; exit 1; }
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --override overrides.txt requirements.in -o requirements.txt

.PHONY: clean
clean:  ## remove the environment and caches; runs/ and prepared data stay
	rm -rf $(VENV) .bazel .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Nothing is resolved (--no-deps): TFF's own pins contradict each other. Compiled bytecode halves
# the time of `import tensorflow_federated`, so it is made here, whatever the environment says.
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo >&2 "Python 3.11 is needed (TensorFlow Federated runs on no newer one) and '$(PYTHON)' is not it:" \
	    "install it (apt-get install python3.11-venv, or pyenv install 3.11), or call make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the locked packages into $(VENV) (once, about a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null || { \
	  echo >&2 "'$(PYTHON) -m venv' failed: apt-get install python3.11-venv, or call make PYTHON=/path/to/python3.11"; exit 1; }
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --python $(RUN) --no-deps --require-hashes --compile-bytecode -r requirements.txt; \
	else \
	  $(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --compile -r requirements.txt; \
	fi
	@touch $@
