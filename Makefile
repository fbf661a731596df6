# `make` alone lists the targets. All of them use .venv in this folder and make it first when it is not there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS := data/demo-photos
# A collection belongs to its model: another mini, another folder.
DEMO_LIBRARY := data/demo-library/mini-$(shell cksum < indexer/mini/open_clip_model.safetensors | cut -d ' ' -f 1)
LIBRARY ?= $(DEMO_LIBRARY)

# The stamps carry a checksum of what is installed from: a changed pin installs again, a `git checkout` does not.
PINS := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(PINS)
INSTALLED_DEV := $(VENV)/.installed-dev-$(PINS)
INSTALLED_BENCH := $(VENV)/.installed-bench-$(PINS)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

# One thread a test process: two that each start a thread a core take turns instead of working side by side.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS ?= $(shell test $(CORES) -gt 4 && echo 4 || echo $(CORES))
TEST_ENV := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test slow torture lint docs fix bench bench-page recall leaderboard clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F '|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(INSTALLED) ## Collect photos, index them, search them, serve the page (DEMO_SERVE=0: end after the searches)
	$(BIN)/python -m data.demo $(PHOTOS)
	$(BIN)/sightline index $(PHOTOS) --library $(DEMO_LIBRARY) --model mini
	$(BIN)/sightline search "a red motorcycle" -k 5 --library $(DEMO_LIBRARY)
	$(BIN)/sightline search --image $(PHOTOS)/photos/galaxies.jpg -k 5 --library $(DEMO_LIBRARY)
ifneq ($(DEMO_SERVE),0)
	$(BIN)/sightline serve --library $(DEMO_LIBRARY)
endif

serve: $(INSTALLED) ## Serve the page on a collection (LIBRARY=folder; the demo's unless told)
	$(BIN)/sightline serve --library $(LIBRARY)

test: $(INSTALLED_DEV) ## Run the tests, without network (ARGS="-k word" chooses; WORKERS=1 runs them in a row)
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

slow: $(INSTALLED_DEV) ## Run the tests that take longer than a few seconds
	$(TEST_ENV) $(BIN)/python -m pytest -m slow $(ARGS)

torture: $(INSTALLED_DEV) ## Kill it at KILLS=200 random moments of its life, and look for anything lost, doubled or broken
	$(TEST_ENV) SIGHTLINE_KILLS=$(or $(KILLS),200) $(BIN)/python -m pytest -n 0 -s tests/e2e/test_torture.py $(ARGS)

lint: $(INSTALLED_DEV) ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

docs: $(INSTALLED_DEV) ## Write docs/commands.md anew from the program's own help
	$(BIN)/typer web.cli utils docs --name sightline --title "The sightline command" --output docs/commands.md

fix: $(INSTALLED_DEV) ## Repair what ruff can repair, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED_BENCH) ## Run every benchmark (SHARD=FILE.tar, TRAIN=FILE.tar, LABELS=FILE.tar, DATA=FOLDER: those on photos, too; SEARCH_ARGS="--sizes 10000": a part)
	$(BIN)/python benchmarks/search.py $(SEARCH_ARGS)
	$(BIN)/python benchmarks/text_queries.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/catalog.py
	$(BIN)/python benchmarks/catalog_filters.py
	$(BIN)/python benchmarks/sync.py
	$(BIN)/python benchmarks/reindex.py
	$(BIN)/python benchmarks/encoder.py $(SHARD)
ifneq ($(SHARD),)
	$(BIN)/python benchmarks/decode.py "$(SHARD)"
	$(BIN)/python benchmarks/thumbnails.py "$(SHARD)"
	$(BIN)/python benchmarks/indexing.py "$(SHARD)"
	$(BIN)/python benchmarks/command_line_recall.py "$(SHARD)" $(ARGS)
	$(BIN)/python benchmarks/three_ways.py "$(SHARD)"
	$(BIN)/python benchmarks/robustness.py "$(SHARD)"
	$(BIN)/python benchmarks/duplicates.py "$(SHARD)"
	$(BIN)/python benchmarks/relevance.py "$(SHARD)"
endif
ifneq ($(TRAIN),)
	$(BIN)/python benchmarks/negation.py "$(TRAIN)" "$(SHARD)"
	$(BIN)/python benchmarks/composed.py "$(TRAIN)" "$(SHARD)"
	$(BIN)/python benchmarks/words_quality.py "$(TRAIN)" "$(SHARD)"
endif
ifneq ($(LABELS),)
	$(BIN)/python benchmarks/heat_map.py $(LABELS)
endif
ifneq ($(DATA),)
	$(BIN)/python benchmarks/leaderboard.py $(DATA)
	$(BIN)/python benchmarks/tags.py $(addprefix $(DATA)/,tiny-imagenet.tar imagenet-sample.tar flowers.tar fashion-products.tar clothing-cc0.tar)
	$(BIN)/python benchmarks/feedback.py $(addprefix $(DATA)/,tiny-imagenet.tar fashion-products.tar imagenet-sample.tar clothing-cc0.tar)
endif
	$(BIN)/python -m benchmarks.all_goals

bench-page: $(INSTALLED_DEV) ## Measure the page in Chromium over 100,000 images (PAGE_ARGS="--library FOLDER": keep them)
	$(BIN)/python -m benchmarks.page $(PAGE_ARGS)

recall: $(INSTALLED_DEV) ## Measure Recall@K through the command line (SHARD=photos-with-captions.tar)
	@test -n "$(SHARD)" || { echo "make recall SHARD=FILE.tar: photos with captions; benchmarks/README.md says what fits"; exit 2; }
	$(BIN)/python benchmarks/command_line_recall.py "$(SHARD)" $(ARGS)

leaderboard: $(INSTALLED_DEV) ## Measure every model at hand on every data set in DATA=FOLDER; write docs/leaderboard.md
	$(BIN)/python benchmarks/leaderboard.py $(DATA) $(ARGS)

clean: ## Remove the environment, the demo and the caches of the tools
	rm -rf $(VENV) $(PHOTOS) data/demo-library .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Sightline needs Python 3.11 to 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): | $(BIN)/python
	@echo "Installing Sightline into $(VENV): 1.6 GB on disk, 5 GB where pip takes a build of torch with CUDA"
	$(INSTALL) -e ".[cpu,demo]"
	@touch $@

$(INSTALLED_DEV): | $(BIN)/python
	@echo "Installing Sightline and its developer's tools into $(VENV): 0.3 GB more than for the demo"
	$(INSTALL) -e ".[dev]"
	$(INSTALL) --no-deps clip-benchmark # a peer our recall is held against; its dependencies are not needed for that
	@touch $(INSTALLED) $@

# Peers only: where there is no compiler for hnswlib, the report says "not installed" of what is missing.
$(INSTALLED_BENCH): $(INSTALLED_DEV)
	$(INSTALL) -e ".[bench]" || echo "Some peers of benchmarks/search.py could not be installed"
	@touch $@
