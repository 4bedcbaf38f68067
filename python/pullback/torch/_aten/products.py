"""Products of matrices, convolutions and pools."""

from __future__ import annotations

import math

from ..._program import call, indexed, infix, number
from .rules import TABLE, Rule, conv_of, named, ones, rule, scaled, shape_of, take_along

for _name in "mm bmm mv dot vdot matmul inner".split():
    TABLE[_name] = Rule(lambda t, out, a, b: infix(t.value(a), "@", t.value(b)))


@rule("addmm", "baddbmm", "addmv")
def _addmm(t, out, x, a, b, *, beta=1, alpha=1):
    product = infix(t.value(a), "@", t.value(b))
    product = product if alpha == 1 else infix(number(alpha), "*", product)
    if beta == 0:
        return product
    return infix(product, "+", t.value(x) if beta == 1 else infix(number(beta), "*", t.value(x)))


@rule("addbmm")
def _addbmm(t, out, x, a, b, *, beta=1, alpha=1):
    return infix(
        scaled(t, x, beta), "+", infix(number(alpha), "*", call("sum", infix(t.value(a), "@", t.value(b)), axis=0))
    )


@rule("_cdist_forward")
def _cdist(t, out, a, b, p, mode=None):
    rank = a.dim()
    if b.dim() != rank or p < 1:
        raise NotImplementedError
    apart = infix(call("unsqueeze", t.value(a), axis=rank - 1), "-", call("unsqueeze", t.value(b), axis=rank - 2))
    return call("norm", apart, axis=rank, **({} if p == 2 else {"p": p}))


@rule("_trilinear")
def _trilinear(t, out, a, b, c, along_a, along_b, along_c, summed, unroll_dim=1):
    product = None
    for tensor, along in ((a, along_a), (b, along_b), (c, along_c)):
        value = t.value(tensor)
        for axis in sorted(along):
            value = call("unsqueeze", value, axis=axis)
        product = value if product is None else infix(product, "*", value)
    return call("sum", product, axis=list(summed)) if summed else product


@rule("convolution", "_convolution", "convolution_overrideable")
def _convolution(t, out, x, w, b, stride, padding, dilation, transposed, output_padding, groups, *_):
    if transposed:
        raise NotImplementedError
    how = (stride, padding, dilation)
    if groups == 1:
        result = conv_of(t, t.value(x), t.value(w), x.shape, *how)
    else:
        channels, filters = x.shape[1] // groups, w.shape[0] // groups
        parts = []
        for g in range(groups):
            inside = indexed(t.value(x), f":, {g * channels}:{(g + 1) * channels}")
            weights = indexed(t.value(w), f"{g * filters}:{(g + 1) * filters}")
            parts.append(conv_of(t, inside, weights, (x.shape[0], channels, *x.shape[2:]), *how))
        result = call("concat", parts, axis=1)
    if b is None:
        return result
    return infix(result, "+", indexed(t.value(b), ", ".join([":"] + ["None"] * (x.dim() - 2))))


@rule("max_pool2d_with_indices", "adaptive_max_pool2d")
def _max_pool(t, out, x, *_):
    values, index = out
    chosen = t.held(index, "chosen")
    t.bind(index, chosen)
    rows, plane, count = math.prod(x.shape[:-2]), math.prod(x.shape[-2:]), math.prod(values.shape[-2:])
    flat = named(t, call("reshape", t.value(x), f"[{rows}, {plane}]"), (rows, plane))
    at = named(t, call("reshape", chosen, f"[{rows}, {count}]"), (rows, count))
    at.is_index = True
    return [call("reshape", take_along(t, flat, at, (rows, count), 1, plane), shape_of(values)), None]


@rule("avg_pool2d")
def _avg_pool(t, out, x, kernel, stride=(), padding=(0,), ceil_mode=False, count_include_pad=True, divisor=None):
    kernel = [int(one) for one in kernel] * (2 if len(kernel) == 1 else 1)
    padded = any(padding)
    if ceil_mode or (padded and not count_include_pad):
        raise NotImplementedError
    stride = [int(one) for one in (stride or kernel)]
    rows = math.prod(x.shape[:-2])
    planes = call("reshape", t.value(x), f"[{rows}, 1, {x.shape[-2]}, {x.shape[-1]}]")
    weights = infix(ones((1, 1, *kernel)), "/", number(divisor or kernel[0] * kernel[1]))
    padding = [int(one) for one in padding]
    pooled = conv_of(t, planes, weights, (rows, 1, *x.shape[-2:]), stride, padding, [1])
    return call("reshape", pooled, shape_of(out[0]))
