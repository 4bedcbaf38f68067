"""Derives, checks and runs backward passes.

>>> import pullback
>>> report = pullback.check('''
... W: [m=2, n=3] ~ randn
... x: [n] ~ randn
... v = W @ x
... L = sum(v^2)
... dL/dv = 2 * v
... dL/dW = outer(x, dL/dv)
... ''')
>>> print(report.claim("W").verdict, report.claim("W").diagnosis.fix)
wrong outer(dL/dv, x)

`check` takes a source, a `pathlib.Path`, or a function of PyTorch or JAX with a backward pass; `trace` makes a source of a function;
`run`, `derive`, `jacobian` and `hessian` take what `check` takes as a source. PyTorch and JAX are imported where they are used. `Tensor` is PyTorch's
tensor without PyTorch, and `pullback.torch_like` the module that a notebook imports in its place.
"""

from __future__ import annotations

from ._notebook import load_ipython_extension
from ._pullback import PullbackError
from ._report import Claim, Report, WrongGradient
from ._sessions import Derivation, Jacobian, Run, assert_gradients, check, derive, hessian, jacobian, run, trace
from ._traced import Traced

__all__ = [
    "Claim",
    "Derivation",
    "Jacobian",
    "PullbackError",
    "Report",
    "Run",
    "Tensor",
    "Traced",
    "WrongGradient",
    "assert_gradients",
    "check",
    "derive",
    "hessian",
    "jacobian",
    "load_ipython_extension",
    "run",
    "trace",
]

__version__ = "0.1.0"


def __getattr__(name: str):
    """``pullback.torch``, ``pullback.jax``, ``pullback.torch_like`` and tensors are imported when they are asked for."""
    import importlib

    if name in ("torch", "jax", "torch_like"):
        return importlib.import_module(f"{__name__}.{name}")
    if name == "Tensor":
        return importlib.import_module(f"{__name__}.torch_like").Tensor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
