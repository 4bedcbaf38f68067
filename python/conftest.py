"""Doctests of PyTorch's side and of JAX's are left out where these are not there; their tests skip by themselves, and say so."""

import importlib.util

collect_ignore_glob = []
for _name in ("torch", "jax"):
    if importlib.util.find_spec(_name) is None:
        collect_ignore_glob.append(f"pullback/{_name}/*")
