# Every target sets itself up: the first one that runs makes .venv, and remakes it when pyproject.toml changes.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# The exact pin installs the CPU build; a range may pull gigabytes of CUDA.
TORCH := torch==2.13.0

.PHONY: setup demo test test-slow check bench docs clean

setup: $(READY)

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "netwright needs Python 3.11 or newer, this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(READY): .venv/installed tests/requirements.txt tests/references.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/references.txt
	touch $@

demo: .venv/installed
	$(BIN)/netwright design digits --time 90s --out out/digits

# One thread a process and a process a core: small networks are faster so.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_floors.py -p no:cacheprovider

.venv/peers: $(READY) benchmarks/peers.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/peers.txt
	touch $@

bench: .venv/peers
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/limits.py
	$(BIN)/python benchmarks/resume.py
	$(BIN)/python benchmarks/inspect_vs_peers.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/gpu_roofline.py
	$(BIN)/python benchmarks/viewer_layout.py
	$(BIN)/python benchmarks/families_vs_reference.py
	$(BIN)/python benchmarks/emoji_detection.py

docs: $(READY)
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv out dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
