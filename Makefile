# Every target sets up what it needs by itself; the work is in tools/, in plain Python.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
INSIDE := .venv/bin/python

.PHONY: help setup demo demo-erp serve test check bench screenshots lock

help:
	@echo 'make demo         a park full of life, served at http://127.0.0.1:8000'
	@echo 'make demo-erp     that park, and a real ERP beside it whose five people earn points as they work'
	@echo 'make serve        the server of this installation'
	@echo 'make test         all checks and all tests, on SQLite and on PostgreSQL'
	@echo 'make check        style, types, contracts, translations, migrations, known vulnerabilities'
	@echo 'make bench        the figures we promise'
	@echo 'make screenshots  the pages as pictures, in screenshots/'
	@echo 'make setup        what the others call first'
	@echo 'make lock         pin every dependency anew'

setup:
	@$(PYTHON) tools/setup.py

demo: setup
	@exec .venv/bin/uptake demo

demo-erp: setup
	@exec $(INSIDE) tools/demo_erp.py

serve: setup
	@exec .venv/bin/uptake serve

check: setup
	@$(INSIDE) tools/check.py

test: setup
	@$(INSIDE) tools/test.py

bench: setup
	@$(INSIDE) tools/measure.py

screenshots: setup
	@$(INSIDE) tools/screenshots.py

lock: setup
	@$(INSIDE) tools/lock.py
