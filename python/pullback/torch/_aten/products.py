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


TABLE["_pdist_forward"] = Rule(lambda t, out, x, p=2: call("pdist", t.value(x), **({} if p == 2 else {"p": p})))


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
        operands = [t.value(one) for one in (x, w, b) if one is not None]
        asked = {"stride": (stride, 1), "padding": (padding, 0), "output_padding": (output_padding, 0)}
        asked["dilation"] = (dilation, 1)
        keywords = {name: [int(one) for one in of] for name, (of, least) in asked.items() if set(of) != {least}}
        return call("conv_transpose", *operands, **keywords, **({"groups": groups} if groups != 1 else {}))
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


def _avg_pool_of_windows(t, x, spatial, kernel, stride=(), padding=(0,), ceil_mode=False, counted=True, divisor=None):
    """A pool as the language's own: along other axes than two, and what is counted at the edge otherwise."""
    several = {"kernel_size": kernel, "stride": stride or kernel, "padding": padding}
    keywords = {name: [int(one) for one in of] * (spatial if len(of) == 1 else 1) for name, of in several.items()}
    keywords.update({"ceil_mode": True} if ceil_mode else {}, **({} if counted else {"count_include_pad": False}))
    return call(f"avg_pool{spatial}d", t.value(x), **keywords, **({"divisor_override": divisor} if divisor else {}))


TABLE["avg_pool3d"] = Rule(lambda t, out, x, *how: _avg_pool_of_windows(t, x, 3, *how))


@rule("avg_pool2d")
def _avg_pool(t, out, x, kernel, stride=(), padding=(0,), ceil_mode=False, count_include_pad=True, divisor=None):
    kernel = [int(one) for one in kernel] * (2 if len(kernel) == 1 else 1)
    padded = any(padding)
    if ceil_mode or (padded and not count_include_pad):
        return _avg_pool_of_windows(t, x, 2, kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    stride = [int(one) for one in (stride or kernel)]
    rows = math.prod(x.shape[:-2])
    planes = call("reshape", t.value(x), f"[{rows}, 1, {x.shape[-2]}, {x.shape[-1]}]")
    weights = infix(ones((1, 1, *kernel)), "/", number(divisor or kernel[0] * kernel[1]))
    padding = [int(one) for one in padding]
    pooled = conv_of(t, planes, weights, (rows, 1, *x.shape[-2:]), stride, padding, [1])
    return call("reshape", pooled, shape_of(out[0]))
