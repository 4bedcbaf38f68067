"""Elements that indices choose, and places that are written to."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..._program import Expression, Value, call, indexed, indexed_by, infix, is_given, positions
from .._tracing import Array, plain
from .rules import moved, put, rule, shape_text


@rule("tile")
def _tile(t, results, params, x, *_):
    value, shape = t.full(x), list(x.shape)
    for axis, times in enumerate(params["reps"]):
        if times != 1:
            shape[axis] *= times
            value = t.program.value(call("concat", [value] * times, axis=axis), shape)
    return value


@rule("stack")
def _stack(t, results, params, *xs):
    return call("stack", [t.full(x) if x.shape else x.symbol for x in xs], axis=params["axis"])


@rule("reduce_window_sum")
def _window_sum(t, results, params, x):
    window, strides = params["window_dimensions"], params["window_strides"]
    if any(d != 1 for d in (*params["base_dilation"], *params["window_dilation"])):
        raise NotImplementedError
    value, shape = t.full(x), list(x.shape)
    for axis, (before, after) in enumerate(params["padding"]):
        parts = []
        for size in (before, None, after):
            block = ", ".join(str(size if at == axis else n) for at, n in enumerate(shape))
            parts += [value] if size is None else [f"zeros({block})"] if size else []
        if len(parts) > 1:
            shape[axis] += before + after
            parts = [Expression([part]) if isinstance(part, str) else part for part in parts]
            value = t.program.value(call("concat", parts, axis=axis), shape)
    ones = call("ones", "1", "1", *[str(size) for size in window])
    summed = call("conv", call("reshape", value, shape_text([1, 1, *shape])), ones)
    return indexed(summed, ", ".join(["0", "0", *[f"::{step}" for step in strides]]))


@rule("reduce_window_max", "reduce_window_min")
def _window_max(t, results, params, x):
    if any(d != 1 for d in (*params["base_dilation"], *params["window_dilation"])):
        raise NotImplementedError
    numbers = plain(np.asarray(x.numbers)).astype(float)
    if t.current == "reduce_window_min":
        numbers = -numbers
    window = params["window_dimensions"]
    count = math.prod(x.shape)
    padded = np.pad(numbers, params["padding"], constant_values=-np.inf)
    places = np.pad(np.arange(count).reshape(x.shape), params["padding"], constant_values=0)
    steps = tuple(slice(None, None, step) for step in params["window_strides"])
    views = [np.lib.stride_tricks.sliding_window_view(one, window)[steps] for one in (padded, places)]
    flat = [view.reshape(*view.shape[: len(window)], -1) for view in views]
    chosen = np.take_along_axis(flat[1], flat[0].argmax(-1)[..., None], -1)[..., 0]
    return call("gather", call("reshape", t.full(x), f"[{count}]"), t.held(chosen, "chosen"))


@rule("gather")
def _gather(t, results, params, x, indices):
    dims, sizes = params["dimension_numbers"], params["slice_sizes"]
    index = np.asarray(indices.numbers)
    shape = np.shape(results[0])
    symbol = indices.symbol
    rows = list(dims.start_index_map)
    is_index = isinstance(symbol, Value) and symbol.is_index
    whole = [axis for axis in range(len(x.shape)) if axis not in rows and axis not in dims.operand_batching_dims]
    takes_whole = all(sizes[axis] == x.shape[axis] for axis in whole) and not any(
        axis in dims.collapsed_slice_dims for axis in whole
    )
    if is_index and len(rows) == 1 and index.shape[-1] == 1 and rows[0] in dims.collapsed_slice_dims:
        inside = bool((index >= 0).all() and (index < x.shape[rows[0]]).all())
        flat = _without_last(t, symbol, index.shape)
        if inside and not dims.operand_batching_dims and takes_whole:
            axis, rank = rows[0], len(index.shape) - 1
            if list(dims.offset_dims) == [a for a in range(len(shape)) if not axis <= a < axis + rank]:
                return (
                    call("gather", t.full(x), flat, **({"axis": axis} if axis else {}))
                    if rank
                    else indexed_by(t.full(x), [":"] * axis + [flat])
                )
        if inside and len(dims.operand_batching_dims) == len(x.shape) - 1 and not dims.offset_dims:
            axis = rows[0]
            counted = [np.arange(n).reshape([-1] + [1] * (len(shape) - a - 1)) for a, n in enumerate(shape)]
            is_paired = list(dims.operand_batching_dims) == list(dims.start_indices_batching_dims)
            if is_paired and axis == len(x.shape) - 1 and not is_given(flat):
                return call("pick", t.full(x), flat, batch=axis)
            if is_paired and is_given(flat):
                return indexed_by(t.full(x), [flat if a == axis else positions(counted[a]) for a in range(len(shape))])
    # In general: where each element comes from is found by gathering their numbers.
    count = math.prod(x.shape)
    numbers = jnp.arange(count, dtype=jnp.int32).reshape(x.shape)
    at = np.asarray(
        jax.lax.gather(
            numbers,
            jnp.asarray(index),
            dims,
            sizes,
            mode=params["mode"],
            fill_value=-1,
            indices_are_sorted=params["indices_are_sorted"],
        )
    )
    if (at < 0).any() or (at >= count).any():
        raise NotImplementedError
    places = positions(at) if indices.is_fixed and at.size <= 1 << 12 else t.held(at, "places")
    flat = call("reshape", t.full(x), f"[{count}]")
    return call("gather", flat, places) if at.ndim else indexed_by(flat, [places])


def _without_last(t, symbol, shape):
    """An index without the axis of size 1 that JAX puts behind it."""
    flat = t.program.value(call("reshape", symbol, shape_text(shape[:-1])), shape[:-1])
    parts = symbol.parts
    if (
        len(parts) >= 2
        and isinstance(parts[0], str)
        and parts[0] in ("unsqueeze(", "reshape(")
        and not isinstance(parts[1], str)
    ):
        if parts[1][0].shape == tuple(shape[:-1]):
            return parts[1][0]
    flat.is_index = True
    return flat


@rule("dynamic_slice")
def _dynamic_slice(t, results, params, x, *starts):
    sizes = params["slice_sizes"]
    at = [int(np.clip(int(start.numbers), 0, n - size)) for start, n, size in zip(starts, x.shape, sizes)]
    if not all(start.is_fixed for start in starts):
        t.by_value.append("dynamic_slice")
    text = ", ".join(f"{a if a else ''}:{a + size if a + size < n else ''}" for a, size, n in zip(at, sizes, x.shape))
    return moved(indexed(t.full(x), text), sizes) if text else x


@rule("dynamic_update_slice")
def _dynamic_update(t, results, params, x, update, *starts):
    at = [int(np.clip(int(start.numbers), 0, n - size)) for start, n, size in zip(starts, x.shape, update.shape)]
    if not all(start.is_fixed for start in starts):
        t.by_value.append("dynamic_update_slice")
    numbers = np.arange(math.prod(x.shape)).reshape(x.shape)
    numbers = numbers[tuple(slice(a, a + size) for a, size in zip(at, update.shape))]
    return put(
        t,
        x,
        update,
        positions(numbers.reshape(-1)) if numbers.size <= 1 << 12 else t.held(numbers.reshape(-1), "places"),
    )


@rule("scatter-add", "scatter_add", "scatter", "scatter-mul", "scatter_mul")
def _scatter(t, results, params, x, indices, updates):
    size, count = math.prod(x.shape), math.prod(updates.shape)
    numbers = jnp.arange(size, dtype=jnp.float32).reshape(x.shape)
    adds = params["update_jaxpr"] is not None

    def added(update):
        zeros = jnp.zeros(x.shape, jnp.float32)
        return jax.lax.scatter_add(
            zeros, jnp.asarray(np.asarray(indices.numbers)), update, params["dimension_numbers"], mode=params["mode"]
        )

    # Where each update goes is what a cotangent of the elements' numbers comes back as.
    at = jax.vjp(added, jnp.zeros(updates.shape, jnp.float32))[1](numbers + 1)[0]
    at = np.asarray(at).round().astype(np.int64).reshape(-1) - 1
    if (at < 0).any() or size >= 1 << 24:
        raise NotImplementedError
    places = positions(at) if indices.is_fixed and at.size <= 1 << 12 else t.held(at, "places")
    if t.current in ("scatter-mul", "scatter_mul"):
        if len(set(at.tolist())) != at.size:
            raise NotImplementedError
        held = call("gather", call("reshape", t.full(x), f"[{size}]"), places)
        product = infix(held, "*", call("reshape", t.full(updates), f"[{count}]"))
        value = t.program.value(product, (count,))
        return put(t, x, Array(value, (count,), None), places)
    if not adds:
        if len(set(at.tolist())) != at.size:
            raise NotImplementedError
        return put(t, x, updates, places)
    new = call(
        "reshape",
        call("scatter_add", call("reshape", t.full(updates), f"[{count}]"), places, str(size)),
        shape_text(x.shape),
    )
    return infix(t.full(x), "+", new)
