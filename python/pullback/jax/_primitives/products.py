"""Products of matrices and convolutions."""

from __future__ import annotations

import string

import numpy as np

from ..._program import Expression, call, infix, transposed
from .rules import rule, shape_text


@rule("dot_general")
def _dot_general(t, results, params, a, b):
    (left, right), (left_batch, right_batch) = params["dimension_numbers"]
    x, y = t.full(a), t.full(b)
    if isinstance(x, Expression) or isinstance(y, Expression):
        return infix(x, "*", y)
    left, right, ranks = list(left), list(right), (len(a.shape), len(b.shape))
    if not left_batch and ranks in ((2, 2), (2, 1), (1, 2), (1, 1)) and len(left) == 1:
        at_end = transposed(x) if ranks[0] == 2 and left == [0] else x
        at_start = transposed(y) if ranks[1] == 2 and right == [1] else y
        return infix(at_end, "@", at_start)
    rank = len(left_batch)
    batches = list(range(rank))
    if ranks == (rank + 2, rank + 2) and list(left_batch) == batches == list(right_batch) and len(left) == 1:
        at_end = x if left == [rank + 1] else call("transpose", x, rank, rank + 1)
        at_start = y if right == [rank] else call("transpose", y, rank, rank + 1)
        return infix(at_end, "@", at_start)
    letters = iter(string.ascii_letters)
    names_a, names_b = [next(letters) for _ in a.shape], [None] * len(b.shape)
    for one, other in zip([*left_batch, *left], [*right_batch, *right]):
        names_b[other] = names_a[one]
    names_b = [name or next(letters) for name in names_b]
    batch = [names_a[axis] for axis in left_batch]
    free = [name for axis, name in enumerate(names_a) if axis not in left and axis not in left_batch]
    free += [name for axis, name in enumerate(names_b) if axis not in right and axis not in right_batch]
    return call("einsum", f'"{"".join(names_a)},{"".join(names_b)}->{"".join(batch + free)}"', x, y)


@rule("conv_general_dilated")
def _conv(t, results, params, x, w):
    dims = params["dimension_numbers"]
    if (
        params["feature_group_count"] != 1
        or params["batch_group_count"] != 1
        or any(d != 1 for d in params["lhs_dilation"])
    ):
        raise NotImplementedError
    padding = params["padding"]
    source = (
        call("permute", t.full(x), shape_text(dims.lhs_spec))
        if list(dims.lhs_spec) != sorted(dims.lhs_spec)
        else t.full(x)
    )
    weights = (
        call("permute", t.full(w), shape_text(dims.rhs_spec))
        if list(dims.rhs_spec) != sorted(dims.rhs_spec)
        else t.full(w)
    )
    keywords = {}
    if any(before != after for before, after in padding) or len({before for before, _ in padding}) > 1:
        raise NotImplementedError
    for key, values, usual in (
        ("stride", params["window_strides"], 1),
        ("padding", [before for before, _ in padding], 0),
        ("dilation", params["rhs_dilation"], 1),
    ):
        if any(value != usual for value in values):
            if len(set(values)) > 1:
                raise NotImplementedError
            keywords[key] = int(values[0])
    result = call("conv", source, weights, **keywords)
    order = np.argsort(dims.out_spec).tolist()
    return result if order == sorted(order) else call("permute", result, shape_text(order))
