"""Solutions, inverses and decompositions of matrices."""

from __future__ import annotations

import torch

from ..._program import call, infix, positions, power
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


@rule("_linalg_svd")
def _svd(t, out, x, full_matrices=False, compute_uv=True, **_):
    if not compute_uv:
        return [None, call("svdvals", t.value(x)), None]
    if full_matrices and x.shape[-2] != x.shape[-1]:
        raise NotImplementedError
    u, s, v = t.program.several(call("svd", t.value(x)), [out[0].shape, out[1].shape, out[2].mT.shape])
    # In the language the largest component of each column of u is positive, and PyTorch's have the signs that they have on these numbers.
    signs = out[0].gather(-2, out[0].abs().argmax(-2, keepdim=True)).sign()
    if bool((signs > 0).all()):
        return [u, s, call("transpose", v, x.dim() - 2, x.dim() - 1)]
    t.by_value.append("svd")
    columns = named(t, positions(signs.int()), signs.shape)
    turned = named(t, infix(v, "*", columns), out[2].mT.shape)
    return [infix(u, "*", columns), s, call("transpose", turned, x.dim() - 2, x.dim() - 1)]


TABLE["linalg_matrix_exp"] = Rule(lambda t, out, x: call("expm", t.value(x)))


@rule("linalg_pinv")
def _pinv(t, out, x, **more):
    if more.get("hermitian") or any(more.get(name) is not None for name in ("atol", "rtol")):
        raise NotImplementedError
    return call("pinv", t.value(x))


@rule("linalg_lstsq")
def _lstsq(t, out, a, b, rcond=None, *, driver=None):
    solution = named(t, call("lstsq", t.value(a), t.value(b)), out[0].shape)
    left = None
    if out[1].numel():
        rest = infix(infix(t.value(a), "@", solution), "-", t.value(b))
        left = call("sum", power(rest, 2), axis=a.dim() - 2)
    return [solution, left, None, None]


TABLE["cholesky_inverse"] = Rule(
    lambda t, out, x, upper=False: call("cholesky_inverse", t.value(x), **({"upper": True} if upper else {}))
)
TABLE["cholesky_solve"] = Rule(
    lambda t, out, b, x, upper=False: call(
        "cholesky_solve", t.value(b), t.value(x), **({"upper": True} if upper else {})
    )
)


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
