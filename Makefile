# Every target sets itself up first: one environment in .venv, made once (minutes), checked at each call (no time).
VENV := $(abspath .venv)
export PATH := $(VENV)/bin:$(PATH)
export OMP_NUM_THREADS ?= 1
# Else each of the thousand processes of the tests would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow lint docs bench setup

demo: setup      ## problems -> responses of the embedded models -> labels -> a balanced benchmark, in demo/
	@examples/demo demo
	@printf '\nTo call libra from this shell:\n. .venv/bin/activate\n'

test: lint       ## everything that can be checked here; three at a time, since many tests wait for servers and timers
	pytest -n 3 --dist worksteal -m "not slow" --durations 25

slow: setup      ## the tests that `make test` leaves out: more ranks, kills and devices, for a quarter of an hour
	pytest -n 2 --dist worksteal -m slow

lint: setup      ## style, types, and whether the generated documents are fresh
	ruff check .
	ruff format --check .
	mypy
	python -m libra_cli.cli.manual --check

docs: setup      ## man pages, completions and docs/reference, from the commands
	python -m libra_cli.cli.manual

bench: setup     ## side-by-side measurements, for hours: figures and targets of all in one table at the end
	@tests/environment/peers $(VENV)-peers
	@benchmarks/run

setup:
	@[ -e $(VENV)/.ready ] || echo "setting up .venv, once: a few minutes, 2.7 GB of disk (PyTorch, vLLM for CPUs, transformers, tools)"
	@tests/environment/setup $(VENV)
