"""Sums and extremes over axes and windows, and what an operation chooses."""

from __future__ import annotations

import numpy as np

from ..._program import Expression, call
from .._tracing import plain
from .rules import KEPT, TABLE, rule, take_along


def _reduction(function):
    def of(t, results, params, x):
        axes = tuple(params["axes"])
        if not axes:
            return x
        value = t.full(x)
        if isinstance(value, Expression):
            return value
        axis = {} if len(axes) == len(x.shape) else {"axis": list(axes) if len(axes) > 1 else axes[0]}
        made = t.program.value(call(function, value, **axis), np.shape(results[0]), place=t.place)
        KEPT[id(made)] = (function, value, axes, made)
        return made

    return of


for _name, _function in {"reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min", "reduce_prod": "prod"}.items():
    TABLE[_name] = _reduction(_function)


@rule("reduce_and", "reduce_or")
def _reduce_or(t, results, params, x):
    return t.held(results[0], "holds")


@rule("argmax", "argmin")
def _chosen(t, results, params, *xs):
    return t.held(results[0], "chosen")


def _cumulative(t, results, params, x):
    value, axis = t.full(x), params["axis"]
    if params.get("reverse"):
        return call("flip", call("cumsum", call("flip", value, axis=axis), axis=axis), axis=axis)
    return call("cumsum", value, axis=axis)


TABLE["cumsum"] = _cumulative


@rule("top_k", "sort", "cummax", "cummin")
def _top_k(t, results, params, x, *more):
    axis = params.get("axis", params.get("dimension", len(x.shape) - 1)) % max(len(x.shape), 1)
    if params.get("is_stable") is not None and params.get("num_keys", 1) != 1:
        raise NotImplementedError
    if more or params.get("is_stable") is not None:
        order = np.argsort(plain(np.asarray(x.numbers)), axis=axis, kind="stable")
        at = t.held(order, "chosen")
        return [take_along(t, one, at, order, axis) for one in (x, *more)]
    if len(results) == 1:
        raise NotImplementedError
    at = t.held(results[1], "chosen")
    return [take_along(t, x, at, np.asarray(results[1]), axis), at]
