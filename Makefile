# Every chore is one line: make help.

PYTHON ?= python3
CHROMIUM ?=
ARGS ?=

BIN := .venv/bin
RUN := $(BIN)/python
# Asked by the shell, when the recipe runs: before the installation there is none.
NODE = "$$($(RUN) -c 'import hatch_build; print(hatch_build.find_node()[0])')"

PIN = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

# Stamps are named by the content of what they stand for, and lie in what they stand for:
# a new checkout of the same files repeats nothing, a deleted .venv/ repeats all of it.
venv := .venv/.made-$(shell (pwd; $(PYTHON) --version) 2>&1 | cksum | cut -d' ' -f1)
packages := .venv/.installed-$(shell cat requirements/dev.txt pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: help install serve arena test check fix e2e soak bench build lock generate native spacetimedb chromium

help:  ## what there is to make
	@sed -n 's/^\([a-z0-9]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

install: $(packages)  ## .venv with everything in it, Pyodide and the page; nothing is done twice
	@$(RUN) hatch_build.py

serve: install  ## the server with its page; flags: make serve ARGS="--port 9000"
	@exec $(BIN)/watchglass serve $(ARGS)

arena: install spacetimedb  ## a game whose units are rows and whose players are scripts; flags: ARGS="--players 8"
	@exec $(RUN) -m examples.arena $(ARGS)

test: install chromium spacetimedb  ## every test: Node's, the page's, Python's, and the ones in a real browser
	@$(NODE) --test node_host/test/*.test.mjs
	@$(NODE) --test web/test/*.test.ts
	@$(RUN) -m pytest -q $(ARGS)

check: install  ## lint, format, types of every language, imports, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m mypy --platform emscripten --cache-dir .mypy_cache/emscripten sdk
	@$(NODE) node_host/node_modules/pyright/index.js
	@$(BIN)/lint-imports --no-logo
	@$(NODE) node_host/node_modules/typescript/bin/tsc --noEmit -p node_host
	@$(NODE) web/node_modules/typescript/bin/tsc --noEmit -p web
	@$(NODE) web/node_modules/typescript/bin/tsc --noEmit -p examples/arena
	@$(RUN) -m watchglass_server.schema --check
	@$(NODE) node_host/native/build.mjs --check

fix: install  ## what lint and format can repair by themselves
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

e2e: install chromium  ## only the tests with a real server and browser
	@$(RUN) -m pytest -q tests/e2e $(ARGS)

soak: install chromium spacetimedb  ## the long random tests, with the counts of a release
	@SOAK=1 $(NODE) --test node_host/test/frames_fuzz.test.mjs
	@$(RUN) -m pytest -q --soak $(ARGS)

bench: install  ## side by side with others (Jupyter, npm's database clients), and alone; writes docs/performance*.md
	@$(RUN) -m bench $(ARGS)

build: install  ## the wheel, in dist/
	@$(RUN) -m hatchling build -t wheel

lock: $(packages)  ## pins anew what pyproject.toml and bench/ ask for
	@$(PIN) --group dev pyproject.toml -o requirements/dev.txt
	@$(PIN) --python-version 3.11 bench/requirements.in -o bench/requirements.txt
	@$(PIN) --python-version 3.11 bench/sdk_requirements.in -o bench/sdk_requirements.txt

generate: $(packages)  ## docs/protocol.md's schemas, web/src/messages.ts and docs/settings.md
	@$(RUN) -m watchglass_server.schema

native: $(packages)  ## every *.wasm, from its source
	@$(RUN) hatch_build.py
	@$(NODE) node_host/native/build.mjs

spacetimedb: $(packages)  ## the database server of tests and examples, built with cargo once
	@$(RUN) scripts/spacetimedb_server.py

chromium:
	@CHROMIUM="$(CHROMIUM)" scripts/chromium

$(venv):
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer," \
	  "or name the one to take: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	  "Watchglass needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] \
	  + ". Name another one: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv --clear .venv
	@touch $@

$(packages): $(venv)
	@echo "installing Python packages into .venv/, once" >&2
	@rm -f .venv/.installed-*
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
