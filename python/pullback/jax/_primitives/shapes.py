"""The same numbers under other shapes."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..._program import Expression, call, indexed, positions, transposed
from .._tracing import Array, written
from .rules import KEPT, Shaped, is_list, moved, rule, shape_text


@rule("broadcast_in_dim")
def _broadcast(t, results, params, x, *_):
    shape, dims = np.shape(results[0]), params["broadcast_dimensions"]
    if isinstance(x.symbol, Expression) or not x.shape:
        return x
    aligned = [1] * len(shape)
    for dim, size in zip(dims, x.symbol.shape if len(x.symbol.shape) == len(dims) else x.shape):
        aligned[dim] = size
    source = x.symbol if len(x.symbol.shape) == len(dims) else t.full(x)
    if tuple(aligned) == source.shape:
        return Array(source, shape, None)
    kept = KEPT.get(id(source))
    new = [axis for axis in range(len(shape)) if axis not in dims]
    if kept is not None and list(kept[2]) == new and len(shape) == len(kept[1].shape):
        function, operand, axes = kept[:3]
        axis = list(axes) if len(axes) > 1 else axes[0]
        return moved(call(function, operand, axis=axis, keepdims=True), aligned)
    if len(aligned) == len(source.shape) + 1:
        return moved(call("unsqueeze", source, axis=new[0]), aligned)
    return moved(call("reshape", source, shape_text(aligned)), aligned)


@rule("reshape")
def _reshape(t, results, params, x, *_):
    shape = np.shape(results[0])
    if isinstance(x.symbol, Expression) and not is_list(x.symbol):
        return x
    return moved(call("reshape", t.full(x), shape_text(shape)), shape) if shape != x.shape else x


@rule("squeeze", "expand_dims")
def _squeeze(t, results, params, x):
    return _reshape(t, results, params, x)


@rule("transpose")
def _transpose(t, results, params, x):
    if isinstance(x.symbol, Expression) and not is_list(x.symbol):
        return x
    permutation = params["permutation"]
    if list(permutation) == [1, 0]:
        return moved(transposed(t.full(x)), np.shape(results[0]))
    return moved(call("permute", t.full(x), shape_text(permutation)), np.shape(results[0]))


@rule("rev")
def _rev(t, results, params, x):
    value = t.full(x)
    for axis in params["dimensions"]:
        value = call("flip", value, axis=axis)
    return moved(value, x.shape)


@rule("slice")
def _slice(t, results, params, x):
    strides = params["strides"] or [1] * len(x.shape)
    parts = []
    for start, limit, stride, size in zip(params["start_indices"], params["limit_indices"], strides, x.shape):
        parts.append(
            f"{start if start else ''}:{limit if limit < size else ''}" + (f":{stride}" if stride != 1 else "")
        )
    while parts and parts[-1] == ":":
        parts.pop()
    return moved(indexed(t.full(x), ", ".join(parts)), np.shape(results[0])) if parts else x


@rule("split")
def _split(t, results, params, x):
    axis, start, found = params["axis"], 0, []
    for size in params["sizes"]:
        text = f"{start if start else ''}:{start + size if start + size < x.shape[axis] else ''}"
        part = [n if at != axis else size for at, n in enumerate(x.shape)]
        found.append(moved(indexed(t.full(x), ", ".join([":"] * axis + [text])), part))
        start += size
    return found


@rule("concatenate")
def _concatenate(t, results, params, *xs):
    if len(xs) == 1:
        return xs[0]
    return moved(call("concat", [t.full(x) for x in xs], axis=params["dimension"]), np.shape(results[0]))


@rule("pad")
def _pad(t, results, params, x, filled):
    config = params["padding_config"]
    if any(inner or before < 0 or after < 0 for before, after, inner in config):
        return _by_positions(t, results, params, x, filled)
    value, shape = t.full(x), list(x.shape)
    for axis, (before, after, _) in enumerate(config):
        parts = []
        for size in (before, None, after):
            if size is None:
                parts.append(value)
            elif size:
                block = tuple(size if at == axis else n for at, n in enumerate(shape))
                parts.append(t.full(Array(filled.symbol, block, None)))
        shape[axis] += before + after
        if len(parts) > 1:
            value = t.program.value(call("concat", parts, axis=axis), shape)
    return value


def _by_positions(t, results, params, x, filled):
    """What is padded between its elements, or cut: where each comes from is found by padding their numbers."""
    count = math.prod(x.shape)
    numbers = jnp.arange(count, dtype=jnp.int32).reshape(x.shape)
    at = np.asarray(jax.lax.pad(numbers, jnp.int32(count), params["padding_config"]))
    flat = call("concat", [call("reshape", t.full(x), f"[{count}]"), t.full(Array(filled.symbol, (1,), None))], axis=0)
    return call("reshape", call("gather", flat, positions(at.reshape(-1))), shape_text(at.shape))


@rule("iota")
def _iota(t, results, params, *_):
    shape, dimension = params["shape"], params["dimension"]
    if len(shape) == 1:
        return call("arange", str(shape[0]))
    counted = np.arange(shape[dimension]).reshape([-1 if at == dimension else 1 for at in range(len(shape))])
    return Shaped(written(counted), counted.shape, True)
