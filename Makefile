# Everyday commands. None of them is needed to use Holdfast: the README's two lines do without make.
PY ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: setup run test check bench bench-short snapshots locks clean

setup: $(BIN)/holdfast  ## fresh environment, exactly the locked releases

$(BIN)/holdfast: requirements-dev.lock pyproject.toml
	$(PY) -m venv .venv
	$(BIN)/pip install -q -r requirements-dev.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@

run: setup  ## the console, on the simulated market
	$(BIN)/holdfast

test: setup  ## all tests
	$(PYTEST)

check: setup  ## what CI runs, in this environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict engine tui tests
	$(BIN)/lint-imports
	$(PYTEST)

bench: setup  ## every figure of spec/budgets.md, peers beside them; rewrites docs/bench.md
	$(BIN)/python -m tests.bench all --report docs/bench.md

bench-short: setup  ## the ratios that CI looks at
	$(BIN)/python -m tests.bench short

snapshots: setup  ## accept what the console looks like now
	$(BIN)/python -m pytest tests/tui -n 2 --dist loadgroup --snapshot-update

locks:  ## after a change of a pin in pyproject.toml; needs uv
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
