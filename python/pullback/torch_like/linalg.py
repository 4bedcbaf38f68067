"""What PyTorch has in ``torch.linalg``."""

from __future__ import annotations

import builtins
from collections import namedtuple

from .._pullback import Tensor, call
from . import _functions


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False):
    """The norm of a matrix: ``"fro"``, ``"nuc"``, 1 and ∞ (the largest sum of a column, of a row), 2 (the largest singular value), and
    with a minus the smallest of these.

    >>> from pullback.torch_like import tensor
    >>> A = tensor([[3.0, 0.0], [4.0, 5.0]])
    >>> matrix_norm(A, 1), matrix_norm(A, 2), matrix_norm(A)
    (tensor(7.), tensor(6.7082), tensor(7.0711))
    """
    rows, columns = (axis % A.dim() for axis in dim)
    if ord == "fro":
        return call("torch", "norm", (A,), {"dim": [rows, columns], "keepdim": keepdim})
    if ord not in ("nuc", 1, -1, 2, -2, builtins.float("inf"), -builtins.float("inf")):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    others = [axis for axis in builtins.range(A.dim()) if axis not in (rows, columns)]
    matrices = call("torch", "permute", (A, [*others, rows, columns]))
    if ord in ("nuc", 2, -2):
        values = call("torch", "svdvals", (matrices,))
    else:
        values = call("torch", "sum", (matrices.abs(), -2 if builtins.abs(ord) == 1 else -1))
    if ord == "nuc":
        found = values.sum(-1)
    else:
        found = call("torch", "amax" if ord > 0 else "amin", (values, -1))
    return found if not keepdim else found.unsqueeze(builtins.min(rows, columns)).unsqueeze(builtins.max(rows, columns))


def vector_norm(x, ord=2, dim=None, keepdim=False):
    """The norm of all elements, or along axes."""
    return call("torch", "norm", (x, ord), {"dim": list(dim) if isinstance(dim, tuple) else dim, "keepdim": keepdim})


def norm(A, ord=None, dim=None, keepdim=False):
    """The norm of a vector, or with an order that of a matrix."""
    if ord is None or isinstance(dim, builtins.int) or (dim is None and A.dim() == 1 and not isinstance(ord, str)):
        return vector_norm(A, 2 if ord is None else ord, dim, keepdim)
    return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)


class lstsq_result(namedtuple("lstsq_result", "solution")):
    """What solves equations in least squares."""


def lstsq(A, B):
    """The solution with the least squares of what is left."""
    return lstsq_result(call("torch", "lstsq", (A, B)))


_functions.add_functions(globals(), "torch.linalg")

__all__ = [name for name, value in globals().items() if not name.startswith("_") and value is not Tensor]
