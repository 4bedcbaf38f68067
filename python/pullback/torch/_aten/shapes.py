"""The same numbers under other shapes."""

from __future__ import annotations

import torch

from ..._program import call, indexed, infix, transposed
from .rules import TABLE, Rule, full, named, ones, reshaped, rule, shape_of, zeros

for _name in "view _unsafe_view reshape _reshape_alias flatten view_copy".split():
    TABLE[_name] = Rule(lambda t, out, x, *_, **__: reshaped(t, x, out[0]))


@rule("unsqueeze")
def _unsqueeze(t, out, x, dim):
    return call("unsqueeze", t.value(x), axis=dim % out[0].dim())


@rule("squeeze")
def _squeeze(t, out, x, dim=None):
    return reshaped(t, x, out[0])


TABLE["expand"] = Rule(
    lambda t, out, x, *_, **__: t.value(x) if x.shape == out[0].shape else infix(t.value(x), "*", ones(out[0].shape))
)
TABLE["broadcast_to"] = TABLE["expand"]
TABLE["permute"] = Rule(
    lambda t, out, x, dims: call("permute", t.value(x), "[" + ", ".join(str(dim % x.dim()) for dim in dims) + "]")
)
TABLE["t"] = Rule(lambda t, out, x: transposed(t.value(x)) if x.dim() == 2 else t.value(x))


@rule("transpose")
def _transpose(t, out, x, a, b):
    if x.dim() == 2 and a % 2 != b % 2:
        return TABLE["t"].of(t, out, x)
    return (
        t.value(x)
        if x.dim() == 0 or a % x.dim() == b % x.dim()
        else call("transpose", t.value(x), a % x.dim(), b % x.dim())
    )


@rule("select")
def _select(t, out, x, dim, index):
    return indexed(t.value(x), ", ".join([":"] * (dim % x.dim()) + [str(index % x.shape[dim])]))


@rule("slice")
def _slice(t, out, x, dim=0, start=None, end=None, step=1):
    size, dim = x.shape[dim], dim % x.dim()
    start, end, step = slice(start, end, step).indices(size)
    if out[0].shape == x.shape and start == 0:
        return t.value(x)
    text = f"{start if start else ''}:{end if end < size else ''}" + (f":{step}" if step != 1 else "")
    return indexed(t.value(x), ", ".join([":"] * dim + [text]))


@rule("split", "split_with_sizes", "unsafe_split", "chunk", "tensor_split")
def _split(t, out, x, sizes, dim=0):
    dim, start, found = dim % x.dim(), 0, []
    for part in out:
        size = part.shape[dim]
        end = start + size
        text = f"{start if start else ''}:{end if end < x.shape[dim] else ''}"
        found.append(indexed(t.value(x), ", ".join([":"] * dim + [text])) if size < x.shape[dim] else t.value(x))
        start = end
    return found


TABLE["unbind"] = Rule(
    lambda t, out, x, dim=0: [
        indexed(t.value(x), ", ".join([":"] * (dim % x.dim()) + [str(k)])) for k in range(len(out))
    ]
)


@rule("cat")
def _cat(t, out, xs, dim=0):
    parts = [x for x in xs if not (x.dim() == 1 and x.numel() == 0)]
    return (
        t.value(parts[0]) if len(parts) == 1 else call("concat", [t.value(x) for x in parts], axis=dim % out[0].dim())
    )


TABLE["stack"] = Rule(lambda t, out, xs, dim=0: call("stack", [t.value(x) for x in xs], axis=dim % out[0].dim()))
TABLE["tril"] = Rule(lambda t, out, x, k=0: call("tril", t.value(x), **({"k": k} if k else {})))


@rule("triu")
def _triu(t, out, x, k=0):
    if x.is_floating_point() and bool(torch.isinf(x).any()):
        # A product with the zeros of a triangle would be NaN.
        return call("where", call("triu", ones(x.shape), **({"k": k} if k else {})), t.value(x), 0)
    return call("triu", t.value(x), **({"k": k} if k else {}))


@rule("flip")
def _flip(t, out, x, dims):
    value = t.value(x)
    for dim in dims:
        value = call("flip", value, axis=dim % x.dim())
    return value


@rule("roll")
def _roll(t, out, x, shifts, dims=()):
    shifts, dims = ([one] if isinstance(one, int) else list(one) for one in (shifts, dims))
    if not dims:
        flat = call("roll", call("reshape", t.value(x), f"[{x.numel()}]"), shifts[0], axis=0)
        return call("reshape", flat, shape_of(out[0]))
    value = t.value(x)
    for shift, dim in zip(shifts, dims):
        value = call("roll", value, shift, axis=dim % x.dim())
    return value


@rule("repeat")
def _repeat(t, out, x, repeats):
    value = t.value(x)
    if out[0].numel() == 0:
        return zeros(out[0].shape)
    if len(repeats) > x.dim():
        value = call(
            "reshape", value, "[" + ", ".join(["1"] * (len(repeats) - x.dim()) + [str(size) for size in x.shape]) + "]"
        )
    shape = [1] * (len(repeats) - x.dim()) + list(x.shape)
    for axis, times in enumerate(repeats):
        if times > 1:
            value = named(t, value, shape)
            shape = [size * times if at == axis else size for at, size in enumerate(shape)]
            value = call("concat", [value] * times, axis=axis)
    return value


@rule("constant_pad_nd")
def _pad(t, out, x, pad, value=0):
    result, shape = t.value(x), list(x.shape)
    for at in range(len(pad) // 2):
        axis, before, after = x.dim() - 1 - at, pad[2 * at], pad[2 * at + 1]
        if before < 0 or after < 0:
            low, high = max(-before, 0), shape[axis] - max(-after, 0)
            result = indexed(result, ", ".join([":"] * axis + [f"{low}:{high}"]))
            shape[axis] = high - low
        parts = []
        for size in (max(before, 0), None, max(after, 0)):
            if size is None:
                parts.append(result)
            elif size:
                parts.append(full([size if k == axis else one for k, one in enumerate(shape)], float(value)))
        if len(parts) > 1:
            result = call("concat", parts, axis=axis)
        shape[axis] += max(before, 0) + max(after, 0)
    return result


@rule("diagonal")
def _diagonal(t, out, x, offset=0, dim1=0, dim2=1):
    if x.dim() == 2 and offset == 0 and x.shape[0] == x.shape[1]:
        return call("diag", t.value(x))
    return t._view(t.value(x), x, out[0]) if _is_plain(x) else _sliced(t, x, out[0])


for _name in "as_strided unfold".split():
    TABLE[_name] = Rule(lambda t, out, x, *_, **__: t._view(t.value(x), x, out[0]))


def _is_plain(x):
    return x.is_contiguous()


def _sliced(t, x, out):
    base = x.contiguous()
    t.bind(base, t.value(x))
    return t._view(t.value(x), base, out)


@rule("diag_embed")
def _diag_embed(t, out, x, offset=0, dim1=-2, dim2=-1):
    if offset or (dim1 % (x.dim() + 1), dim2 % (x.dim() + 1)) != (x.dim() - 1, x.dim()):
        raise NotImplementedError
    size = x.shape[-1]
    return infix(call("unsqueeze", t.value(x), axis=x.dim()), "*", call("eye", str(size)))
