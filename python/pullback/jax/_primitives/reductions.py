"""Sums and extremes over axes and windows, and what an operation chooses."""

from __future__ import annotations

import numpy as np

from ..._program import Expression, call, indexed
from .._tracing import is_float
from .rules import KEPT, TABLE, rule


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
    function = {"cumlogsumexp": "logcumsumexp"}.get(t.current, t.current)
    if params.get("reverse"):
        return call("flip", call(function, call("flip", value, axis=axis), axis=axis), axis=axis)
    return call(function, value, axis=axis)


for _name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"):
    TABLE[_name] = _cumulative


@rule("top_k")
def _top_k(t, results, params, x):
    axis = params.get("axis", len(x.shape) - 1) % len(x.shape)
    values, places = _sorted(t, x, axis, descending=True)
    count = np.shape(results[0])[axis]
    text = ", ".join([":"] * axis + [f":{count}"])
    cut = [t.program.value(indexed(one, text), np.shape(results[0])) for one in (values, places)]
    cut[1].is_index = True
    return cut


@rule("sort")
def _sort(t, results, params, x, *more):
    if params.get("num_keys", 1) != 1 or not params.get("is_stable", True):
        raise NotImplementedError
    axis, rank = params["dimension"], len(x.shape)
    values, places = _sorted(t, x, axis)
    found = [values]
    for one in more:
        counted = np.arange(x.shape[axis]).reshape([-1 if at == axis else 1 for at in range(rank)])
        if np.array_equal(np.asarray(one.numbers), np.broadcast_to(counted, x.shape)):
            # What is sorted beside is where each stood.
            found.append(places)
        elif axis == rank - 1 and is_float(np.asarray(one.numbers)):
            found.append(call("pick", t.full(one), places, **({"batch": rank - 1} if rank > 1 else {})))
        else:
            raise NotImplementedError
    return found


def _sorted(t, x, axis, descending=False):
    """The elements of an axis in order, and where they stood."""
    keywords = {"axis": axis, **({"descending": True} if descending else {})}
    values, places = t.program.several(call("sort", t.full(x), **keywords), [x.shape, x.shape], t.place)
    places.is_index = True
    return values, places
