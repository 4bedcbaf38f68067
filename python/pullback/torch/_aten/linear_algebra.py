"""Solutions, inverses and decompositions of matrices."""

from __future__ import annotations

import torch

from ..._program import call, infix, positions
from .rules import TABLE, Rule, named, rule

TABLE["linalg_inv_ex"] = Rule(lambda t, out, x, **_: [call("inv", t.value(x)), None])
TABLE["inverse"] = Rule(lambda t, out, x: call("inv", t.value(x)))
TABLE["linalg_cholesky_ex"] = Rule(
    lambda t, out, x, *, upper=False, **_: [
        call("transpose", call("cholesky", t.value(x)), x.dim() - 2, x.dim() - 1)
        if upper
        else call("cholesky", t.value(x)),
        None,
    ]
)
TABLE["_linalg_det"] = Rule(lambda t, out, x: [call("det", t.value(x))])
TABLE["_linalg_slogdet"] = Rule(
    lambda t, out, x: [call("sign", call("det", t.value(x))), call("log", call("abs", call("det", t.value(x))))]
)
TABLE["_linalg_eigh"] = Rule(lambda t, out, x, *_, **__: _several(t, out, "eigh", x))


@rule("linalg_qr")
def _qr(t, out, x, mode="reduced"):
    if mode != "reduced" or x.shape[-2] < x.shape[-1]:
        raise NotImplementedError
    q, r = _several(t, out, "qr", x)
    signs = out[1].diagonal(dim1=-2, dim2=-1).sign()
    if bool((signs >= 0).all()):
        return [q, r]
    # In the language the diagonal is not negative, and PyTorch's has the signs that it has on these numbers.
    t.by_value.append("qr")
    columns = named(t, positions(signs.int()), signs.shape)
    return [infix(q, "*", columns), infix(call("unsqueeze", columns, axis=signs.dim()), "*", r)]


def _several(t, out, function, x):
    if function == "eigh" and not torch.allclose(x, x.mT):
        # PyTorch reads one triangle, and the language both.
        raise NotImplementedError
    return t.program.several(call(function, t.value(x)), [one.shape for one in out])


@rule("_linalg_solve_ex")
def _solve(t, out, a, b, *, left=True, **_):
    if not left:
        raise NotImplementedError
    return [call("solve", t.value(a), t.value(b))]


@rule("linalg_solve_triangular")
def _solve_triangular(t, out, a, b, *, upper, left=True, unitriangular=False):
    triangle, off = ("triu", 1) if upper else ("tril", -1)
    matrix = call(triangle, t.value(a))
    if unitriangular:
        matrix = infix(call(triangle, t.value(a), k=off), "+", call("eye", str(a.shape[-1])))
    if left:
        return call("solve", matrix, t.value(b))
    rank = a.dim()
    if rank != b.dim():
        raise NotImplementedError
    turned = call(
        "solve", call("transpose", matrix, rank - 2, rank - 1), call("transpose", t.value(b), rank - 2, rank - 1)
    )
    return call("transpose", turned, rank - 2, rank - 1)
