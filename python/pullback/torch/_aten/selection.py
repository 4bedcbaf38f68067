"""Elements that indices and masks choose, and places that are written to."""

from __future__ import annotations

import torch

from ..._program import call, indexed, indexed_by, infix, number
from .rules import TABLE, Rule, full, named, ones, rule, shape_of, take_along


@rule("index", "_unsafe_index")
def _index(t, out, x, indices):
    found = []
    for index in indices:
        if index is None:
            found.append(":")
        elif index.dtype in (torch.bool, torch.uint8):
            for one in index.nonzero(as_tuple=True):
                found.append(t.held(one, "chosen"))
        else:
            found.append(t.index(index))
    while found and found[-1] == ":":
        found.pop()
    return indexed_by(t.value(x), found)


TABLE["index_select"] = Rule(
    lambda t, out, x, dim, index: call("gather", t.value(x), t.index(index), axis=dim % x.dim())
)


@rule("gather")
def _gather(t, out, x, dim, index, sparse_grad=False):
    if x.dim() == 0:
        return t.value(x)
    dim, at = dim % x.dim(), t.value(index)
    # Where the index is shorter along other axes, these are cut.
    cut = [slice(None) if axis == dim else slice(0, size) for axis, size in enumerate(index.shape)]
    rows = t.value(x)
    if not at.is_index and x[tuple(cut)].shape != x.shape:
        rows = indexed(rows, ", ".join(":" if axis == dim else f":{size}" for axis, size in enumerate(index.shape)))
    return take_along(t, rows, at, index.shape, dim, x.shape[dim])


@rule("embedding")
def _embedding(t, out, weight, index, padding_idx=-1, *_):
    found = indexed_by(t.value(weight), [t.index(index)])
    if padding_idx < 0 or not bool((index == padding_idx).any()):
        return found
    row = named(t, found, out[0].shape)
    held = call("unsqueeze", infix(t.value(index), "==", number(padding_idx)), axis=index.dim())
    return call("where", held, call("stop_gradient", row), row)


def _flat_places(t, index, shape, dim):
    """Where the elements of an index of `scatter` stand, counted row by row: held, since integers that are computed are numbers."""
    places, stride = torch.zeros_like(index), 1
    for axis in range(len(shape) - 1, -1, -1):
        at = index if axis == dim else torch.arange(index.shape[axis]).reshape([-1] + [1] * (index.dim() - axis - 1))
        places, stride = places + stride * at.to(index), stride * shape[axis]
    return t.held(places.reshape(-1), "places")


@rule("scatter_add")
def _scatter_add(t, out, x, dim, index, src):
    size = x.numel()
    source = call(
        "reshape",
        t.value(src[tuple(slice(0, n) for n in index.shape)]) if src.shape != index.shape else t.value(src),
        f"[{index.numel()}]",
    )
    added = call("scatter_add", source, _flat_places(t, index, x.shape, dim % max(x.dim(), 1)), str(size))
    return infix(t.value(x), "+", call("reshape", added, shape_of(x)))


@rule("scatter")
def _scatter(t, out, x, dim, index, src, reduce=None):
    if reduce is not None:
        raise NotImplementedError
    at = _flat_places(t, index, x.shape, dim % max(x.dim(), 1))
    size, count = x.numel(), index.numel()
    hit = infix(call("scatter_add", f"ones({count})", at, str(size)), ">", 0)
    new = t.value(src) if isinstance(src, torch.Tensor) else full(index.shape, float(src))
    new = call("scatter_add", call("reshape", new, f"[{count}]"), at, str(size))
    return call("reshape", call("where", hit, new, call("reshape", t.value(x), f"[{size}]")), shape_of(x))


@rule("index_add")
def _index_add(t, out, x, dim, index, source, alpha=1):
    if dim % max(x.dim(), 1) != 0:
        more = {} if alpha == 1 else {"alpha": alpha}
        return call("index_add", t.value(x), dim % x.dim(), t.index(index), t.value(source), **more)
    added = call("scatter_add", t.value(source), t.index(index), str(x.shape[0]))
    return infix(t.value(x), "+", added if alpha == 1 else infix(number(alpha), "*", added))


@rule("scatter_reduce")
def _scatter_reduce(t, out, x, dim, index, src, reduce, *, include_self=True):
    beside = [size for axis, size in enumerate(index.shape) if axis != dim % x.dim()]
    if beside != [size for axis, size in enumerate(x.shape) if axis != dim % x.dim()]:
        raise NotImplementedError
    source = t.value(src[tuple(slice(0, n) for n in index.shape)]) if src.shape != index.shape else t.value(src)
    more = {} if include_self else {"include_self": False}
    return call("scatter_reduce", t.value(x), dim % x.dim(), t.index(index), source, f'"{reduce}"', **more)


@rule("_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(t, out, weight, index, offsets, scaled=False, mode=0, sparse=False, weights=None, last=False, pad=-1):
    if mode == 2:
        raise NotImplementedError
    scale = "none" if weights is None else t.value(weights)
    how = (f'"{("sum", "mean")[mode]}"', scale, pad if pad >= 0 else "none", t.index(offsets), str(bool(last)).lower())
    return [call("embedding_bag", t.index(index), t.value(weight), *how), None, None, None]


TABLE["select_scatter"] = Rule(
    lambda t, out, x, src, dim, index: call("select_scatter", t.value(x), t.value(src), dim % x.dim(), index)
)


@rule("slice_scatter")
def _slice_scatter(t, out, x, src, dim=0, start=None, end=None, step=1):
    if step != 1:
        raise NotImplementedError
    start = slice(start, end).indices(x.shape[dim])[0]
    return call("slice_scatter", t.value(x), t.value(src), dim % x.dim(), start)


@rule("diagonal_scatter")
def _diagonal_scatter(t, out, x, src, offset=0, dim1=0, dim2=1):
    if x.dim() != 2 or x.shape[0] != x.shape[1] or (dim1, dim2) != (0, 1):
        raise NotImplementedError
    return call("diagonal_scatter", t.value(x), t.value(src), offset)


@rule("repeat_interleave")
def _repeat_interleave(t, out, repeats, output_size=None):
    return t.held(out[0], "chosen")


@rule("index_put", "_unsafe_index_put", "_index_put_impl")
def _index_put(t, out, x, indices, values, accumulate=False, unsafe=False):
    places = torch.arange(x.numel()).reshape(x.shape)[tuple(slice(None) if one is None else one for one in indices)]
    is_mask = len(indices) == 1 and indices[0].dtype in (torch.bool, torch.uint8) and indices[0].shape == x.shape
    # Several values are one for each place that the mask names, and no array that broadcasts.
    if is_mask and values.numel() == 1 and not accumulate:
        return call("where", t.value(indices[0]), t.value(values), t.value(x))
    return _held_put(t, x, places, values, accumulate)


def _held_put(t, x, places, values, accumulate):
    flat = places.reshape(-1)
    if not accumulate and flat.unique().numel() != flat.numel():
        # Which one is written last is nobody's promise.
        raise NotImplementedError
    at = t.held(flat, "places")
    count, size = flat.numel(), x.numel()
    source = values if values.shape == places.shape else values.expand(places.shape)
    source = t.value(values) if values.shape == places.shape else infix(t.value(values), "*", ones(source.shape))
    added = call("scatter_add", call("reshape", source, f"[{count}]"), at, str(size))
    old = call("reshape", t.value(x), f"[{size}]")
    if accumulate:
        return call("reshape", infix(old, "+", added), shape_of(x))
    hit = infix(call("scatter_add", f"ones({count})", at, str(size)), ">", 0)
    return call("reshape", call("where", hit, added, old), shape_of(x))


@rule("masked_select")
def _masked_select(t, out, x, mask):
    shape = torch.broadcast_shapes(x.shape, mask.shape)
    places = torch.arange(x.numel()).reshape(x.shape).expand(shape)[mask.expand(shape)]
    return call("gather", call("reshape", t.value(x), f"[{x.numel()}]"), t.held(places, "chosen"))


TABLE["take"] = Rule(
    lambda t, out, x, index: call("gather", call("reshape", t.value(x), f"[{x.numel()}]"), t.index(index))
)
