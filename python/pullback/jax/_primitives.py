"""What the primitives of JAX are in the language.

One function for each, by JAX's name: it is given the tracer, the numbers of the results, the parameters and the operands, and returns
an expression for each result. What moves elements in ways that have no short name is a ``gather`` at positions, which are found by
moving the numbers 0, 1, 2 … in the same way.
"""

from __future__ import annotations

import math
import string

import numpy as np

import jax
import jax.numpy as jnp

from .._program import Expression, Value, call, indexed, indexed_by, infix, negative, number, positions, power
from ._tracing import Array, is_float, plain, written

TABLE: dict = {}


def rule(*names: str):
    def added(of):
        for name in names:
            TABLE[name] = of
        return of

    return added


def goes_inside(*names: str):
    """An operation that is what the jaxprs in it are."""

    def added(of):
        of.goes_inside = True
        return rule(*names)(of)

    return added


def broadcast(shape, *operands):
    """The shape of what is computed element by element of values that may be stretched later."""
    shapes = [one.symbol.shape if isinstance(one.symbol, Value) else () for one in operands]
    found = np.broadcast_shapes(*shapes)
    return found if len(found) in (0, len(shape)) else shape


def elementwise(of):
    """Element by element it is all the same whether an operand is stretched before or after."""

    def applied(t, results, params, *operands):
        symbols = [one.symbol for one in operands]
        expression = of(t, results, params, *symbols)
        if isinstance(expression, Expression):
            expression = Expression(expression.parts, expression.holds)
            return Shaped(expression, broadcast(np.shape(results[0]), *operands))
        return expression

    return applied


class Shaped(Expression):
    """An expression with the shape that it has before it is stretched, and whether it moves elements only."""

    __slots__ = ("shape", "moves")

    def __init__(self, expression, shape, moves=False):
        super().__init__(expression.parts, expression.holds)
        self.shape, self.moves = tuple(shape), moves


def moved(expression, shape):
    return Shaped(expression, shape, True)


for _name, _function in {
    **{name: name for name in "abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc exp exp2 expm1 floor log log1p rsqrt sign sin "
       "sinh sqrt tan tanh cbrt lgamma digamma".split()},
    "logistic": "sigmoid", "round": "round",
}.items():  # fmt: skip
    TABLE[_name] = elementwise(lambda t, r, p, x, _f=_function, **_: call(_f, x))
for _name, _sign in {"add": "+", "sub": "-", "mul": "*", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    TABLE[_name] = elementwise(lambda t, r, p, a, b, _s=_sign: infix(a, _s, b))
TABLE["add_any"] = TABLE["add"]
TABLE["neg"] = elementwise(lambda t, r, p, x: negative(x))
TABLE["square"] = elementwise(lambda t, r, p, x: power(x, 2))
TABLE["integer_pow"] = elementwise(lambda t, r, p, x: power(x, p["y"]))
TABLE["pow"] = elementwise(lambda t, r, p, a, b: power(a, b))
TABLE["max"] = elementwise(lambda t, r, p, a, b: _larger(a, b))
TABLE["min"] = elementwise(lambda t, r, p, a, b: call("minimum", a, b))
TABLE["atan2"] = elementwise(lambda t, r, p, a, b: call("atan2", a, b))
TABLE["is_finite"] = elementwise(lambda t, r, p, x: infix(infix(x, "-", x), "==", 0))
TABLE["clamp"] = elementwise(lambda t, r, p, low, x, high: call("clamp", x, low, high))
TABLE["copy"] = TABLE["copy_p"] = lambda t, r, p, x: x
TABLE["reduce_precision"] = TABLE["copy"]
TABLE["stop_gradient"] = lambda t, r, p, x: x if isinstance(x.symbol, Expression) else call("stop_gradient", t.full(x))
TABLE["nextafter"] = lambda t, r, p, a, b: t.held(r[0], "chosen")
TABLE["optimization_barrier"] = lambda t, r, p, *xs: list(xs)


def _larger(a, b):
    """`max(x, 0)` has no slope of ½ at 0 where JAX says `relu`; of two values that are equal each has."""
    if isinstance(a, Expression) and "".join(x for x in a.parts if isinstance(x, str)) == "-inf":
        return b if isinstance(b, Expression) else Expression([(b, 0)])
    return call("maximum", a, b)


@rule("div")
def _div(t, results, params, a, b):
    if not is_float(np.asarray(results[0])):
        return Shaped(call("trunc", infix(a.symbol, "/", b.symbol)), broadcast(np.shape(results[0]), a, b))
    return Shaped(infix(a.symbol, "/", b.symbol), broadcast(np.shape(results[0]), a, b))


@rule("rem")
def _rem(t, results, params, a, b):
    whole = call("trunc", infix(a.symbol, "/", b.symbol))
    return Shaped(infix(a.symbol, "-", infix(b.symbol, "*", whole)), broadcast(np.shape(results[0]), a, b))


def _logic(sign):
    def of(t, results, params, a, b):
        if np.asarray(results[0]).dtype != bool:
            return t.held(results[0], "bits")
        return Shaped(infix(a.symbol, sign, b.symbol), broadcast(np.shape(results[0]), a, b))

    return of


TABLE["and"], TABLE["or"], TABLE["xor"] = _logic("&"), _logic("|"), _logic("!=")
TABLE["not"] = elementwise(lambda t, r, p, x: infix(x, "==", 0))


@rule("convert_element_type")
def _convert(t, results, params, x):
    before, after = np.asarray(x.numbers), np.asarray(results[0])
    if is_float(before) and not is_float(after):
        return Shaped(call("truth" if after.dtype == bool else "trunc", x.symbol), broadcast(after.shape, x))
    return x


@rule("select_n")
def _select(t, results, params, which, *cases):
    chosen = np.asarray(which.numbers)
    if not is_float(np.asarray(results[0])):
        # How NumPy counts from the end: where nothing does the index is what it was.
        for at, case in enumerate(cases):
            if (chosen == at).all():
                return case
    if len(cases) != 2:
        raise NotImplementedError
    shape = broadcast(np.shape(results[0]), which, *cases)
    if not isinstance(which.symbol, Value):
        return cases[int(chosen.reshape(-1)[0])] if chosen.ndim == 0 else Shaped(call("where", which.symbol, cases[1].symbol, cases[0].symbol), shape)
    return Shaped(call("where", which.symbol, cases[1].symbol, cases[0].symbol), shape)


# Shapes.


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
    return moved(call("reshape", source, _shape(aligned)), aligned)


#: Reductions by their values: the function, the operand and the axes, so that axes can be kept. The value is kept alive beside.
KEPT: dict = {}


def _shape(shape) -> str:
    return "[" + ", ".join(str(int(size)) for size in shape) + "]"


@rule("reshape")
def _reshape(t, results, params, x, *_):
    shape = np.shape(results[0])
    if isinstance(x.symbol, Expression) and not _is_list(x.symbol):
        return x
    return moved(call("reshape", t.full(x), _shape(shape)), shape) if shape != x.shape else x


def _is_list(expression: Expression) -> bool:
    return isinstance(expression.parts[0], str) and expression.parts[0].startswith("[")


@rule("squeeze", "expand_dims")
def _squeeze(t, results, params, x):
    return _reshape(t, results, params, x)


@rule("transpose")
def _transpose(t, results, params, x):
    if isinstance(x.symbol, Expression) and not _is_list(x.symbol):
        return x
    permutation = params["permutation"]
    if list(permutation) == [1, 0]:
        return moved(Expression([(t.full(x), 7), ".T"]), np.shape(results[0]))
    return moved(call("permute", t.full(x), _shape(permutation)), np.shape(results[0]))


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
        parts.append(f"{start if start else ''}:{limit if limit < size else ''}" + (f":{stride}" if stride != 1 else ""))
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
    return call("reshape", call("gather", flat, positions(at.reshape(-1))), _shape(at.shape))


@rule("iota")
def _iota(t, results, params, *_):
    shape, dimension = params["shape"], params["dimension"]
    if len(shape) == 1:
        return call("arange", str(shape[0]))
    counted = np.arange(shape[dimension]).reshape([-1 if at == dimension else 1 for at in range(len(shape))])
    return Shaped(written(counted), counted.shape, True)


# Reductions.


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
        return [_take_along(t, one, at, order, axis) for one in (x, *more)]
    if len(results) == 1:
        raise NotImplementedError
    at = t.held(results[1], "chosen")
    return [_take_along(t, x, at, np.asarray(results[1]), axis), at]


def _take_along(t, x, at, index, axis):
    rank = len(x.shape)
    if not is_float(np.asarray(x.numbers)) and not isinstance(x.symbol, Value):
        return t.held(np.take_along_axis(np.asarray(x.numbers), index, axis), "chosen")
    if rank == 1:
        return call("gather", t.full(x), at)
    counted = [np.arange(n).reshape([-1] + [1] * (rank - a - 1)) for a, n in enumerate(index.shape)]
    return indexed_by(t.full(x), [at if a == axis else positions(counted[a]) for a in range(rank)])


# Selection.


@rule("gather")
def _gather(t, results, params, x, indices):
    dims, sizes = params["dimension_numbers"], params["slice_sizes"]
    index = np.asarray(indices.numbers)
    shape = np.shape(results[0])
    symbol = indices.symbol
    rows = list(dims.start_index_map)
    is_index = isinstance(symbol, Value) and symbol.is_index
    whole = [axis for axis in range(len(x.shape)) if axis not in rows and axis not in dims.operand_batching_dims]
    takes_whole = all(sizes[axis] == x.shape[axis] for axis in whole) and not any(axis in dims.collapsed_slice_dims for axis in whole)
    if is_index and len(rows) == 1 and index.shape[-1] == 1 and rows[0] in dims.collapsed_slice_dims:
        inside = bool((index >= 0).all() and (index < x.shape[rows[0]]).all())
        flat = _without_last(t, symbol, index.shape)
        if inside and not dims.operand_batching_dims and takes_whole:
            axis, rank = rows[0], len(index.shape) - 1
            if list(dims.offset_dims) == [a for a in range(len(shape)) if not axis <= a < axis + rank]:
                return call("gather", t.full(x), flat, **({"axis": axis} if axis else {})) if rank else indexed_by(t.full(x), [":"] * axis + [flat])
        if inside and len(dims.operand_batching_dims) == len(x.shape) - 1 and not dims.offset_dims:
            axis = rows[0]
            counted = [np.arange(n).reshape([-1] + [1] * (len(shape) - a - 1)) for a, n in enumerate(shape)]
            if list(dims.operand_batching_dims) == list(dims.start_indices_batching_dims):
                return indexed_by(t.full(x), [flat if a == axis else positions(counted[a]) for a in range(len(shape))])
    # In general: where each element comes from is found by gathering their numbers.
    count = math.prod(x.shape)
    numbers = jnp.arange(count, dtype=jnp.int32).reshape(x.shape)
    at = np.asarray(
        jax.lax.gather(
            numbers, jnp.asarray(index), dims, sizes, mode=params["mode"], fill_value=-1, indices_are_sorted=params["indices_are_sorted"]
        )
    )
    if (at < 0).any() or (at >= count).any():
        raise NotImplementedError
    places = positions(at) if indices.is_fixed and at.size <= 1 << 12 else t.held(at, "places")
    flat = call("reshape", t.full(x), f"[{count}]")
    return call("gather", flat, places) if at.ndim else indexed_by(flat, [places])


def _without_last(t, symbol, shape):
    """An index without the axis of size 1 that JAX puts behind it."""
    flat = t.program.value(call("reshape", symbol, _shape(shape[:-1])), shape[:-1])
    parts = symbol.parts
    if len(parts) >= 2 and isinstance(parts[0], str) and parts[0] in ("unsqueeze(", "reshape(") and not isinstance(parts[1], str):
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
    return _put(t, x, update, positions(numbers.reshape(-1)) if numbers.size <= 1 << 12 else t.held(numbers.reshape(-1), "places"))


def _put(t, x, update, at):
    size, count = math.prod(x.shape), math.prod(update.shape)
    hit = infix(call("scatter_add", f"ones({count})", at, str(size)), ">", 0)
    new = call("scatter_add", call("reshape", t.full(update), f"[{count}]"), at, str(size))
    return call("reshape", call("where", hit, new, call("reshape", t.full(x), f"[{size}]")), _shape(x.shape))


@rule("scatter-add", "scatter_add", "scatter")
def _scatter(t, results, params, x, indices, updates):
    size, count = math.prod(x.shape), math.prod(updates.shape)
    numbers = jnp.arange(size, dtype=jnp.float32).reshape(x.shape)
    adds = params["update_jaxpr"] is not None

    def added(update):
        zeros = jnp.zeros(x.shape, jnp.float32)
        return jax.lax.scatter_add(zeros, jnp.asarray(np.asarray(indices.numbers)), update, params["dimension_numbers"], mode=params["mode"])

    # Where each update goes is what a cotangent of the elements' numbers comes back as.
    at = jax.vjp(added, jnp.zeros(updates.shape, jnp.float32))[1](numbers + 1)[0]
    at = np.asarray(at).round().astype(np.int64).reshape(-1) - 1
    if (at < 0).any() or size >= 1 << 24:
        raise NotImplementedError
    places = positions(at) if indices.is_fixed and at.size <= 1 << 12 else t.held(at, "places")
    if not adds:
        if len(set(at.tolist())) != at.size:
            raise NotImplementedError
        return _put(t, x, updates, places)
    new = call("reshape", call("scatter_add", call("reshape", t.full(updates), f"[{count}]"), places, str(size)), _shape(x.shape))
    return infix(t.full(x), "+", new)


# Products.


@rule("dot_general")
def _dot_general(t, results, params, a, b):
    (left, right), (left_batch, right_batch) = params["dimension_numbers"]
    x, y = t.full(a), t.full(b)
    if isinstance(x, Expression) or isinstance(y, Expression):
        return infix(x, "*", y)
    left, right, ranks = list(left), list(right), (len(a.shape), len(b.shape))
    if not left_batch and ranks in ((2, 2), (2, 1), (1, 2), (1, 1)) and len(left) == 1:
        at_end = Expression([(x, 7), ".T"]) if ranks[0] == 2 and left == [0] else x
        at_start = Expression([(y, 7), ".T"]) if ranks[1] == 2 and right == [1] else y
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
    if params["feature_group_count"] != 1 or params["batch_group_count"] != 1 or any(d != 1 for d in params["lhs_dilation"]):
        raise NotImplementedError
    padding = params["padding"]
    source = call("permute", t.full(x), _shape(dims.lhs_spec)) if list(dims.lhs_spec) != sorted(dims.lhs_spec) else t.full(x)
    weights = call("permute", t.full(w), _shape(dims.rhs_spec)) if list(dims.rhs_spec) != sorted(dims.rhs_spec) else t.full(w)
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
    return result if order == sorted(order) else call("permute", result, _shape(order))


# Linear algebra.

TABLE["cholesky"] = lambda t, r, p, x: call("cholesky", t.full(x))
TABLE["lu"] = lambda t, r, p, x: [t.held(one, "lu") for one in r]
TABLE["lu_pivots_to_permutation"] = lambda t, r, p, x: t.held(r[0], "permutation")
TABLE["eigh"] = lambda t, r, p, x: _unknown()


def _unknown():
    raise NotImplementedError


@rule("triangular_solve")
def _triangular(t, results, params, a, b):
    if not params["left_side"]:
        raise NotImplementedError
    matrix = call("tril" if params["lower"] else "triu", t.full(a))
    if params["unit_diagonal"]:
        size = a.shape[-1]
        matrix = infix(call("tril" if params["lower"] else "triu", t.full(a), k=-1 if params["lower"] else 1), "+", call("eye", str(size)))
    if params["transpose_a"]:
        matrix = call("transpose", matrix, len(a.shape) - 2, len(a.shape) - 1)
    return call("solve", matrix, t.full(b))


@goes_inside("custom_linear_solve")
def _linear_solve(t, params, operands):
    lengths, jaxprs = params["const_lengths"], params["jaxprs"]
    consts = operands[: lengths.matvec]
    rest = operands[sum(lengths) :]
    matvec = jaxprs.matvec
    products = [equation for equation in matvec.jaxpr.eqns if equation.primitive.name == "dot_general"]
    if len(consts) != 1 or len(matvec.jaxpr.eqns) != 1 or len(products) != 1 or len(rest) != 1:
        _refuse(t, "custom_linear_solve")
    (left, _), _ = products[0].params["dimension_numbers"]
    matrix, b = t.full(consts[0]), rest[0]
    if len(consts[0].shape) != 2 or list(left) not in ([1], [0]):
        _refuse(t, "custom_linear_solve")
    matrix = Expression([(matrix, 7), ".T"]) if list(left) == [0] else matrix
    answer = np.linalg.solve(np.asarray(consts[0].numbers), np.asarray(b.numbers))
    value = t.program.value(call("solve", matrix, t.full(b)), b.shape, place=t.place)
    return [Array(value, b.shape, jnp.asarray(answer))]


def _refuse(t, name):
    from .._program import unknown_operation
    from ._tracing import _HOW

    raise unknown_operation(f"{name} as it is called here", t.place, _HOW)


# What has jaxprs inside.


@goes_inside("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2", "custom_lin")
def _jit(t, params, operands):
    closed = params.get("jaxpr", params.get("call_jaxpr"))
    found = _of_linear_algebra(t, params.get("name"), closed, operands)
    return found if found is not None else t.inner(closed, operands)


def _of_linear_algebra(t, name, closed, operands):
    """Determinants, by name: JAX makes them of a factorisation that has no derivative of its own."""
    jaxpr = getattr(closed, "jaxpr", closed)
    info = getattr(getattr(jaxpr, "debug_info", None), "func_src_info", "") or ""
    if name not in ("slogdet", "det") or "linalg" not in info or len(operands[0].shape) != 2:
        return None
    x, numbers = t.full(operands[0]), np.asarray(operands[0].numbers)
    det = t.program.value(call("det", x), (), place=t.place)
    if name == "det":
        return [Array(det, (), jnp.linalg.det(numbers))]
    sign, log = jnp.linalg.slogdet(numbers)
    value = t.program.value(call("log", call("abs", det)), (), place=t.place)
    return [Array(t.program.value(call("sign", det), (), place=t.place), (), sign), Array(value, (), log)]


@goes_inside("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
def _custom(t, params, operands):
    return t.inner(params.get("call_jaxpr") or params["fun_jaxpr"], operands)


@goes_inside("cond")
def _cond(t, params, operands):
    which = operands[0]
    if not which.is_fixed:
        t.by_value.append("cond")
    branches = params["branches"]
    return t.inner(branches[int(np.clip(int(which.numbers), 0, len(branches) - 1))], operands[1:])


@goes_inside("while")
def _while(t, params, operands):
    split, more = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    for_cond, for_body, carried = operands[:split], operands[split:more], operands[more:]
    while True:
        holds = t.inner(params["cond_jaxpr"], [*for_cond, *carried])[0]
        if not holds.is_fixed:
            t.by_value.append("while")
        if not bool(holds.numbers):
            return carried
        t.step()
        carried = t.inner(params["body_jaxpr"], [*for_body, *carried])


@goes_inside("scan")
def _scan(t, params, operands):
    consts, carries = params["num_consts"], params["num_carry"]
    fixed, carried, rows = operands[:consts], operands[consts : consts + carries], operands[consts + carries :]
    length, outputs = params["length"], []
    steps = range(length - 1, -1, -1) if params["reverse"] else range(length)
    for at in steps:
        t.step()
        inputs = []
        for row in rows:
            symbol = row.symbol
            if isinstance(symbol, Value):
                symbol = t.program.value(indexed(t.full(row), str(at)), row.shape[1:])
                symbol.is_index = isinstance(row.symbol, Value) and row.symbol.is_index
            inputs.append(Array(symbol, row.shape[1:], row.numbers[at], row.is_fixed))
        results = t.inner(params["jaxpr"], [*fixed, *carried, *inputs])
        carried = results[:carries]
        outputs.append(results[carries:])
    if params["reverse"]:
        outputs.reverse()
    stacked = []
    closed = params["jaxpr"]
    for k, variable in enumerate(getattr(closed, "jaxpr", closed).outvars[carries:]):
        parts = [output[k] for output in outputs]
        shape = (length, *variable.aval.shape)
        if not parts:
            stacked.append(Array(number(0), shape, jnp.zeros(shape, variable.aval.dtype)))
            continue
        numbers = jnp.stack([part.numbers for part in parts])
        value = t.program.value(call("stack", [t.full(part) if part.shape else part.symbol for part in parts], axis=0), shape, place=t.place)
        stacked.append(Array(value, shape, numbers, all(part.is_fixed for part in parts)))
    return [*carried, *stacked]


@rule("platform_index")
def _platform(t, results, params, *_):
    return number(int(np.asarray(results[0])))


@rule("random_bits", "random_seed", "random_wrap", "random_unwrap", "random_fold_in", "threefry2x32", "shift_right_logical", "shift_left")
def _random(t, results, params, *_):
    return [t.held(np.asarray(result), "drawn") if not jnp.issubdtype(getattr(result, "dtype", np.int32), jax.dtypes.prng_key) else number(0) for result in results]


@rule("bitcast_convert_type")
def _bitcast(t, results, params, *_):
    return t.held(results[0], "drawn")
