"""What the benchmarks share: builds the contestants, finds a Python that has PyTorch, runs all in alternation."""

import ast
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def python():
    """A Python that has PyTorch: that of BENCH_PYTHON, or one made in `bench/.venv`."""
    given = os.environ.get("BENCH_PYTHON")
    if given:
        return given
    there = HERE / ".venv/bin/python"
    if not there.exists():
        subprocess.run([sys.executable, "-m", "venv", HERE / ".venv"], check=True)
        subprocess.run([there, "-m", "pip", "install", "--quiet", "torch", "numpy"], check=True)
    return str(there)


def build(packages):
    """The paths of the programs, by package."""
    # One by one: built together, the peers' features of shared crates would become ours.
    for package in packages:
        subprocess.run(["cargo", "build", "--release", "--quiet", "-p", package], cwd=HERE, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    return {package: str(target / "release" / package) for package in packages}


def sample(command, threads, environment):
    """The seconds that a contestant prints, run with so many threads on as many processors."""
    processors = sorted(os.sched_getaffinity(0))[:threads]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), **environment}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, processors),
    )
    return ast.literal_eval(done.stdout)


def table(title, contestants, threads, unit, environment):
    """Runs the contestants in alternation; the first is `ours`. Prints and returns their median seconds."""
    seconds = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, command in contestants.items():
            seconds[name] += sample(command, threads, environment)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"\n{title}, {threads} thread{'s' * (threads > 1)}, {unit[0]}: median [10%..90%], and ours/this")
    for name, values in seconds.items():
        values = sorted(values)
        low, high = values[len(values) // 10], values[-1 - len(values) // 10]
        shown = " ".join(f"{value * unit[1]:.4g}" for value in (low, high)).replace(" ", "..")
        ratio = f"{medians['ours'] / medians[name]:.2g}" if name != "ours" else "1"
        print(f"  {name:28} {medians[name] * unit[1]:9.4g} [{shown}]  {ratio}", flush=True)
    return medians
