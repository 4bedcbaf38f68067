"""Arrays that are made of nothing, and those that hold the same numbers as others."""

from __future__ import annotations

import torch

from ..._program import call, indexed, infix, number
from .rules import TABLE, Rule, full, ones, rule, stretched, zeros

for _name in "clone alias _to_copy contiguous lift_fresh lift_fresh_copy to view_as lift _reshape_alias_copy resolve_conj".split():
    TABLE[_name] = Rule(lambda t, out, x, *_, **__: _converted(t, out, x))
TABLE["detach"] = Rule(lambda t, out, x: call("stop_gradient", t.value(x)), fresh=True)
TABLE["copy"] = Rule(lambda t, out, x, src, *_: stretched(t, src, x))


def _converted(t, out, x):
    """In another precision it is the same; as an integer it is cut off."""
    if x.is_floating_point() and not out[0].is_floating_point():
        return call("truth", t.value(x)) if out[0].dtype == torch.bool else call("trunc", t.value(x))
    if out[0].dtype == torch.bool and x.dtype != torch.bool:
        return call("truth", t.value(x))
    return t.value(x)


for _name in "zeros zeros_like new_zeros empty empty_like new_empty empty_strided new_empty_strided zero".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: zeros(out[0].shape))
for _name in "ones ones_like new_ones".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: ones(out[0].shape))


@rule("full", "full_like", "new_full", "scalar_tensor", "fill")
def _full(t, out, *args, **kwargs):
    value = kwargs.get("fill_value", args[-1] if args else 0)
    if isinstance(value, torch.Tensor):
        return stretched(t, value, out[0])
    return full(out[0].shape, float(value))


TABLE["scalar_tensor"] = Rule(lambda t, out, value, **_: number(value))
TABLE["full"] = Rule(lambda t, out, size, value, **_: full(out[0].shape, float(value)))
TABLE["new_full"] = Rule(lambda t, out, x, size, value, **_: full(out[0].shape, float(value)))


@rule("arange")
def _arange(t, out, *args, **kwargs):
    start, step = 0, 1
    if len(args) >= 2:
        start, step = args[0], (args[2] if len(args) > 2 else 1)
    expression = call("arange", str(out[0].numel()))
    if step != 1:
        expression = infix(number(step), "*", expression)
    return infix(expression, "+", number(start)) if start != 0 else expression


@rule("linspace")
def _linspace(t, out, start, end, steps, **_):
    step = (end - start) / max(steps - 1, 1)
    return infix(infix(number(step), "*", call("arange", str(steps))), "+", number(start))


@rule("eye")
def _eye(t, out, n, m=None, **_):
    n, m = out[0].shape
    if n == m:
        return call("eye", str(n))
    return infix(indexed(call("arange", str(n)), ":, None"), "==", call("arange", str(m)))
