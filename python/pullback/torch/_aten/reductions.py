"""Sums, extremes and statistics over axes, and what an operation chooses along one."""

from __future__ import annotations

import math

import torch

from ..._program import call, infix, power
from .rules import TABLE, Rule, axes_of, ordered, picked, reduced, reduced_of, rule

TABLE["sum"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("sum", t, x, dim, keepdim))
TABLE["mean"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("mean", t, x, dim, keepdim))
TABLE["amax"] = Rule(lambda t, out, x, dim=(), keepdim=False: reduced("max", t, x, dim, keepdim))
TABLE["amin"] = Rule(lambda t, out, x, dim=(), keepdim=False: reduced("amin", t, x, dim, keepdim))
TABLE["prod"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("prod", t, x, dim, keepdim))
TABLE["logsumexp"] = Rule(lambda t, out, x, dim, keepdim=False: reduced("logsumexp", t, x, dim, keepdim))
TABLE["any"] = Rule(lambda t, out, x, dim=None, keepdim=False: infix(reduced_truth(t, x, dim, keepdim), ">", 0))
TABLE["all"] = Rule(lambda t, out, x, dim=None, keepdim=False: infix(reduced_truth(t, x, dim, keepdim, False), "==", 0))
TABLE["trace"] = Rule(
    lambda t, out, x: call("trace", t.value(x)) if x.shape[0] == x.shape[1] else call("sum", call("diag", t.value(x)))
)
TABLE["cumsum"] = Rule(
    lambda t, out, x, dim, **_: call("cumsum", t.value(x), axis=dim % max(x.dim(), 1)) if x.dim() else t.value(x)
)


def reduced_truth(t, x, dim, keepdim, holds=True):
    truth = call("truth", t.value(x)) if holds else infix(t.value(x), "==", 0)
    axis = axes_of(dim, x.dim())
    keywords = {} if axis is None else {"axis": axis}
    return call("sum", truth, **keywords, **({"keepdims": True} if keepdim else {}))


def _spread(function, t, x, dim, unbiased, keepdim, correction):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return reduced(function, t, x, dim, keepdim, **({"correction": correction} if correction else {}))


TABLE["var"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: _spread(
        "var", t, x, dim, unbiased, keepdim, correction
    )
)
TABLE["std"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: _spread(
        "std", t, x, dim, unbiased, keepdim, correction
    )
)
TABLE["var_mean"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: [
        _spread("var", t, x, dim, unbiased, keepdim, correction),
        reduced("mean", t, x, None if isinstance(dim, bool) else dim, keepdim),
    ]
)
TABLE["std_mean"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: [
        _spread("std", t, x, dim, unbiased, keepdim, correction),
        reduced("mean", t, x, None if isinstance(dim, bool) else dim, keepdim),
    ]
)


@rule("linalg_vector_norm", "norm")
def _norm(t, out, x, ord=2, dim=None, keepdim=False, **_):
    ord = 2 if ord is None else ord
    if not isinstance(ord, (int, float)):
        raise NotImplementedError
    size = call("abs", t.value(x))
    if ord == 0:
        return reduced_of("sum", call("truth", t.value(x)), x, dim, keepdim)
    if ord == -math.inf:
        return reduced_of("min", size, x, dim, keepdim)
    if ord < 1:
        return power(reduced_of("sum", power(size, float(ord)), x, dim, keepdim), 1 / ord)
    return reduced("norm", t, x, dim, keepdim, **({} if ord == 2 else {"p": ord}))


def _extreme(function, t, out, x, dim, keepdim):
    if isinstance(dim, torch.Tensor):
        return call({"max": "maximum", "min": "minimum"}[function], t.value(x), t.value(dim))
    if dim is None:
        return call(function, t.value(x))
    which = ordered(t, out, x, dim, slice(0, 1), descending=function == "max", squeeze=not keepdim)
    largest = out[0] if keepdim or x.dim() == 0 else out[0].unsqueeze(dim)
    if bool(((x == largest).sum(dim) == 1).all()):
        # Where nothing ties it is the extreme, and who asks for its place sorts.
        return [reduced(function, t, x, dim, keepdim), which[1]]
    return which


TABLE["max"] = Rule(lambda t, out, x, dim=None, keepdim=False: _extreme("max", t, out, x, dim, keepdim))
TABLE["min"] = Rule(lambda t, out, x, dim=None, keepdim=False: _extreme("min", t, out, x, dim, keepdim))
TABLE["topk"] = Rule(
    lambda t, out, x, k, dim=-1, largest=True, sorted=True: ordered(t, out, x, dim, slice(0, k), descending=largest)
)
TABLE["kthvalue"] = Rule(
    lambda t, out, x, k, dim=-1, keepdim=False: ordered(t, out, x, dim, slice(k - 1, k), squeeze=not keepdim)
)
TABLE["mode"] = Rule(lambda t, out, x, dim=-1, keepdim=False: picked(t, out, x, dim, squeeze=not keepdim))


@rule("median", "nanmedian")
def _median(t, out, x, dim=None, keepdim=False):
    if dim is not None:
        middle = (x.shape[dim] - 1) // 2 if x.dim() else 0
        return ordered(t, out, x, dim, slice(middle, middle + 1), squeeze=not keepdim)
    at = (x == out[0]).reshape(-1).nonzero().reshape(-1)
    if at.numel() != 1:
        # Of elements that tie each has a share of the gradient.
        raise NotImplementedError
    return call("reshape", call("gather", call("reshape", t.value(x), f"[{x.numel()}]"), t.held(at, "chosen")), "[]")


TABLE["logcumsumexp"] = Rule(
    lambda t, out, x, dim: call("logcumsumexp", t.value(x), axis=dim % x.dim()) if x.dim() else t.value(x)
)
TABLE["cummax"] = Rule(lambda t, out, x, dim: picked(t, out, x, dim))
TABLE["cummin"] = TABLE["cummax"]
for _name in "argmax argmin bincount searchsorted bucketize histc unique2 _unique2".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: t.held(out[0], "chosen"))


@rule("sort")
def _sort(t, out, x, *args, dim=-1, descending=False, stable=None):
    # `sort(x, dim, descending)` and, with its keyword, `sort(x, stable, dim, descending)`.
    for arg in args:
        if isinstance(arg, bool):
            descending = arg
        elif arg is not None:
            dim = arg
    return ordered(t, out, x, dim, slice(None), descending=descending)


@rule("argsort")
def _argsort(t, out, x, dim=-1, descending=False, stable=None):
    values = torch.sort(x, dim=dim, descending=descending).values
    return ordered(t, [values, out[0]], x, dim, slice(None), descending=descending)[1]
