# The front door: `make help` lists what there is. Everything needs Python >= 3.12, make and git, nothing else.
.DEFAULT_GOAL := help
.PHONY: help install run test check check-types check-rest coverage bench chaos load migrate migration docs openapi sdk sbom
.PHONY: format lock clean

BIN := .venv/bin
READY := .venv/.ready
LOCK := --generate-hashes --universal --python-version 3.12 --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --quiet
SOURCES := src tests docs/guide migrations deploy/load deploy/sdk
GUIDE := src/opora/api/static/guide.zip
export OPORA_HOME ?= var
unexport PYTHONDONTWRITEBYTECODE # without bytecode every start takes three times as long
export OPORA_SETUP_PYTHON = $(PYTHON)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## Set everything up in .venv (PYTHON=/path/to/python3.13 to choose the interpreter)

$(READY): requirements/dev.lock pyproject.toml .ci/setup
	@.ci/setup

# The guide that is served at /guide; it takes a second, and only where a document is newer.
$(GUIDE): $(wildcard *.md docs/guide/*) $(shell find docs deploy -name '*.md' -o -name '*.svg') | $(READY)
	@PYTHONPATH=docs $(BIN)/python -m guide

run: $(READY) $(GUIDE) ## Serve on 127.0.0.1:8000 with no server installed; data in OPORA_HOME (var/)
	@$(BIN)/opora serve $(ARGS)

test: $(READY) ## Run all tests, on SQLite and real PostgreSQL and Redis, and show the coverage (ARGS="-k export")
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report= $(ARGS)
	@$(MAKE) --no-print-directory coverage

WORKERS ?= 2

# The program must be covered to nine tenths, the core whole, branch by branch; a part of the tests need not reach that.
coverage:
	@$(BIN)/coverage report --skip-covered --sort=cover $(if $(ARGS),,--fail-under=90)
	@echo "Of it the core:"
	@$(BIN)/coverage report --skip-covered --include='src/opora/core/*' $(if $(ARGS),,--fail-under=100)

check: $(READY) ## Format, types, imports, core and architecture tests, with no server: under a minute
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) check-types check-rest

check-types:
	$(BIN)/mypy

check-rest:
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -k "not [postgresql" \
		tests/core tests/architecture tests/docs --ignore=tests/docs/test_examples.py

bench: .venv/.bench ## Measure every path beside its peers and write docs/benchmarks.md (ONLY=people for one)
	@PYTHONPATH=src:tests $(BIN)/python -m bench $(ONLY)

chaos: $(READY) ## Play two minutes of faults under load, and count what broke a promise (ARGS="--seed 7 --seconds 60")
	@PYTHONPATH=src:tests $(BIN)/python -m chaos $(ARGS)

load: $(READY) ## Put journeys on both set-ups up to the knee, and write docs/load.md (ARGS="--soak 30 --overload")
	@PYTHONPATH=src:tests:deploy/load $(BIN)/python -m load $(ARGS)

# The peers are no part of what developers need, so they come only here.
.venv/.bench: $(READY) requirements/bench.lock
	@{ $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/bench.lock || \
		{ $(BIN)/python -m ensurepip --upgrade >/dev/null && \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bench.lock; }; } && touch $@

migrate: $(READY) ## Bring the database of OPORA_DATABASE_URL (or OPORA_HOME) to the newest schema
	@$(BIN)/opora db upgrade

migration: $(READY) ## Start the next migration file (NAME=add_labels)
	@$(BIN)/python migrations/new.py "$(NAME)"

docs: $(READY) ## Renew the pages that follow from the code, build the guide, check documents, links and examples
	@PYTHONPATH=src:tests $(BIN)/python -m docs.reference
	@PYTHONPATH=docs $(BIN)/python -m guide
	@$(BIN)/python -m pytest tests/docs

openapi: $(READY) ## Renew tests/api/openapi.json after a change of the wire that is meant
	@$(BIN)/opora openapi | $(BIN)/python -m json.tool --sort-keys --indent 2 > tests/api/openapi.json

sdk: $(READY) ## Renew the clients and the Postman collection in deploy/sdk from the API document
	@PYTHONPATH=deploy/sdk $(BIN)/python -m generator

sbom: $(READY) ## Print the bill of materials of a release, CycloneDX from the locks (make -s sbom > opora.cdx.json)
	@$(BIN)/python requirements/sbom.py

format: $(READY) ## Format and mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

lock: $(READY) ## Choose versions anew and write requirements/*.lock: versions and hashes, no addresses
	$(UV) pip compile requirements/tools.in $(LOCK) --upgrade -o requirements/tools.lock
	$(UV) pip compile pyproject.toml $(LOCK) --upgrade -o requirements/runtime.lock
	$(UV) pip compile pyproject.toml --all-extras $(LOCK) --upgrade \
		--constraint requirements/runtime.lock -o requirements/image.lock
	$(UV) pip compile pyproject.toml --all-extras --group dev $(LOCK) --upgrade \
		--constraint requirements/runtime.lock -o requirements/dev.lock
	$(UV) pip compile --group bench $(LOCK) --upgrade \
		--constraint requirements/dev.lock -o requirements/bench.lock

UV = $(shell command -v uv || echo .tools/bin/uv)

clean: ## Remove what was built (not OPORA_HOME)
	@rm -rf $(GUIDE) .venv .tools dist build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
