"""What needs PyTorch or JAX is left out where these are not there; their tests skip by themselves, and say so."""

import importlib.util

collect_ignore_glob = []
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob += ["pullback/torch/*", "tests/blocks.py", "tests/functions.py", "tests/slips.py"]
if importlib.util.find_spec("jax") is None:
    collect_ignore_glob += ["pullback/jax/*"]
