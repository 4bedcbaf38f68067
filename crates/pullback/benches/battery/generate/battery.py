#!/usr/bin/env python3
"""Makes random programs with right and wrong gradients, as files and as dumps, with PyTorch's numbers.

    battery.py --seed 1 --count 100 --to FOLDER
    battery.py --seeds 3 17 44 --to FOLDER

For each program two files: `SEED.grad` and `SEED.safetensors`. The first is a file as anyone may check it: a forward pass, and
claims that are right. Comments after them state wrong ones (`#wrong KIND: dL/dx = …`), each of which stands for one file in
which it takes the right one's place, and which claims are zero (`#zero PRECISION: …`). The second holds the same program as
PyTorch computed it in f64, f32, f16 and bf16 (`bf16|dL/dx`), and wrong gradients (`bf16|dL/dx:tail`).

A seed gives the same program each time. What is right is not what Pullback says: numbers are those of PyTorch's autograd, and
formulas are rules that are stated by hand beside each definition (`operations.py` lists these) and held against those numbers.

The committed programs, in `crates/pullback/tests/golden/battery`, were made with PyTorch 2.15.0 (CPU), NumPy 2.4.6 and
safetensors 0.8.0. The script installs PyTorch into `.venv` beside it, or takes the Python that BATTERY_PYTHON names.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSIONS = ["torch==2.15.0", "numpy==2.4.6", "safetensors==0.8.0"]


def python():
    """A Python that has PyTorch."""
    given = os.environ.get("BATTERY_PYTHON")
    if given:
        return given
    there = HERE / ".venv/bin/python"
    if not there.exists():
        subprocess.run([sys.executable, "-m", "venv", HERE / ".venv"], check=True)
        subprocess.run([there, "-m", "pip", "install", "--quiet", *VERSIONS], check=True)
    return str(there)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1, help="of the first program")
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--seeds", type=int, nargs="+", help="these and no others")
    arguments.add_argument("--to", type=Path, required=True, help="a folder, which is made")
    given = arguments.parse_args()
    try:
        import torch  # noqa: F401
    except ImportError:
        os.execv(python(), [python(), __file__, *sys.argv[1:]])
    import drawing

    given.to.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds or range(given.seed, given.seed + given.count):
        drawing.write(seed, given.to)


main()
