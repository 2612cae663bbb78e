# Thin: what a target does stands in Python. `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
BIN := .venv/bin
DIST ?= dist
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup -q
LIBRARY := dgmlib tests/flows tests/lvm tests/plotting $(wildcard tests/test_*.py)
NOTEBOOKS := $(wildcard tests/test_course.py tests/test_scratch.py tests/test_worked_example.py tests/test_book.py)

.PHONY: demo quick style test slow lab sync release release-files book bench gpu banks attacks
demo: .venv/installed
	$(BIN)/python -m grading demo

# In two minutes: layout, imports, the library.
quick: style
	$(PYTEST) -m "not slow" $(filter-out $(NOTEBOOKS),$(LIBRARY)) tests/grading/test_contracts.py

style: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --level error

test: style
	$(PYTEST) -m "not slow" $(LIBRARY) --cov
	$(PYTEST) -m "not slow" $(LIBRARY:%=--ignore=%)
	$(PYTEST) --dist loadfile --nbval-lax --nbval-cell-timeout=120 solutions/*/*.ipynb
	$(BIN)/python -m grading release --check
	$(BIN)/python -m grading demo --quiet

slow: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[book]'
	$(PYTEST) -m slow

lab: .venv/installed
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir=. --FileContentsManager.preferred_dir=course

# NAME.py and NAME.ipynb of solutions/: the younger is written into the other.
sync: .venv/installed
	$(BIN)/jupytext --sync --quiet solutions/*/*.ipynb

release: sync
	$(BIN)/python -m grading release

# Two wheels, in dist/: the student's, dgmlib alone, which the notebooks fetch on Colab; the course's, of what is committed.
release-files: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[release]'
	rm -rf build/wheel $(DIST) && mkdir -p build/wheel
	git archive HEAD grading course solutions nbgrader_config.py README.md LICENSE | tar -x -C build/wheel
	cp grading/releasing/course_wheel.toml build/wheel/pyproject.toml
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w $(DIST) . build/wheel
	$(BIN)/twine check --strict $(DIST)/*.whl

# The site of the course, in build/book: nothing runs, warnings are errors.
book: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[book]'
	$(BIN)/sphinx-build -W --keep-going -q -E -j auto -c docs/book . build/book
	@echo "open build/book/index.html"

bench: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[bench]'
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks

gpu: .venv/installed
	$(BIN)/python -m benchmarks.gpu

banks: .venv/installed
	$(PYTEST) tests/checks --seeds 20

attacks: .venv/installed
	$(PYTEST) tests/attacks --attacks all

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv; the first time this takes a few minutes."
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@
