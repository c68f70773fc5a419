# Every target sets up what it needs, once. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup lab test build slides explorer reproduce bench doctor clean browser

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The first Python that pyproject.toml admits; `make PYTHON=/path/to/python ...` chooses another.
IS_GOOD := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
    $$name -c '$(IS_GOOD)' 2>/dev/null && echo $$name && break; done)

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: $(INSTALLED)  ## install the course into .venv (again only if its dependencies changed)

lab: $(INSTALLED)  ## open JupyterLab on the lessons
	$(BIN)/jupyter lab --notebook-dir=notebooks --LabApp.news_url=None $(if $(filter 0,$(shell id -u)),--allow-root)

test: $(INSTALLED) browser  ## check the style, then run all tests and lessons
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIN)/python -m pytest -n 2 --dist loadfile  # two files at a time; a lesson is one file

build: $(INSTALLED)  ## write the notebooks in both languages from notebooks/source
	$(BIN)/course build

slides: $(INSTALLED)  ## write both decks (HTML, PDF, PowerPoint) in both languages from slides/*.md
	$(BIN)/course slides

explorer: $(INSTALLED)  ## write docs/explorer.html, the page that needs no kernel
	$(BIN)/course explorer

reproduce: $(INSTALLED)  ## train everything that is shipped again (says first how long it takes)
	$(BIN)/course reproduce

bench: $(INSTALLED)  ## measure early exit against full depth on this machine
	$(BIN)/course bench exits

doctor: $(INSTALLED)  ## look for what is wrong on this machine, and say how to mend it
	$(BIN)/course doctor

clean:  ## remove .venv and caches (unfinished trainings in data/unfinished stay)
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(IS_GOOD)' || { \
	    echo "This course needs Python 3.11, 3.12 or 3.13; found: $(or $(PYTHON),none of them)."; \
	    echo "Install one, or name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "Python cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -c requirements.lock -e ".[test]"
	$(BIN)/python -m ipykernel install --sys-prefix --env OMP_WAIT_POLICY PASSIVE  # see course_lib/__init__.py
	$(BIN)/course corpus laws news || echo "Lesson 06 needs these texts: run  course corpus laws news  again later."
	@touch $@

# Chromium for the browser tests, where apt can give it; elsewhere they are skipped and say so.
browser: $(INSTALLED)
	@$(BIN)/python -c "from course_lib.command.examination import find_browser; raise SystemExit(not find_browser())" || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } || \
	    echo "No Chromium, and apt-get cannot install it here: the browser tests will be skipped."
