"""What a rule is, and what several of them are made of."""

from __future__ import annotations

import math

import torch

from ..._program import Expression, call, indexed, indexed_by, infix, is_given, number, positions


class Rule:
    """An operation in the language."""

    __slots__ = ("of", "fresh", "moves", "updates")

    def __init__(self, of, fresh=False):
        #: Of the tracer, the results and the arguments the expressions of the results.
        self.of = of
        #: The result shares memory with an operand, and is not the same value.
        self.fresh = fresh
        #: It moves elements, and computes nothing.
        self.moves = False
        #: It writes to arguments that its results do not depend on: running statistics.
        self.updates = False


TABLE: dict[str, Rule] = {}
#: What is drawn is held as it is.
RANDOM = {
    "bernoulli", "exponential", "geometric", "multinomial", "normal", "normal_functional", "rand", "rand_like", "randint",
    "randint_like", "randn", "randn_like", "randperm", "uniform", "cauchy", "log_normal", "random", "poisson",
}  # fmt: skip
#: What gives no numbers.
CONSTANT = {
    "_linalg_check_errors",
    "_assert_async",
    "_assert_tensor_metadata",
    "record_stream",
    "sym_size",
    "sym_stride",
    "sym_numel",
}


def is_held(tensor: torch.Tensor) -> bool:
    """Integers that an operation chose."""
    return not tensor.is_floating_point()


def rule(*names: str, fresh: bool = False):
    def added(of):
        for name in names:
            TABLE[name] = Rule(of, fresh)
        return of

    return added


def shape_of(tensor) -> str:
    return "[" + ", ".join(str(int(size)) for size in tensor.shape) + "]"


def axes_of(dims, rank: int):
    """Axes as the language takes them: none for all."""
    if dims is None or (isinstance(dims, (list, tuple)) and len(dims) in (0, rank)):
        return None
    dims = [dims] if isinstance(dims, int) else [int(dim) for dim in dims]
    dims = [dim % max(rank, 1) for dim in dims]
    return dims[0] if len(dims) == 1 else dims


def reduced(function: str, t, x, dims, keepdim, **more):
    """A reduction over some axes."""
    if x.dim() == 0:
        dims, keepdim = None, False
    axis = axes_of(dims, x.dim())
    keywords = {"axis": axis} if axis is not None else {}
    if keepdim:
        keywords["keepdims"] = True
    return call(function, t.value(x), **keywords, **more)


def named(t, expression, shape, hint=None):
    """An expression that is used more than once as a value of its own."""
    return t.program.value(expression, shape, hint)


def scaled(t, x, factor):
    return t.value(x) if factor == 1 else infix(number(factor), "*", t.value(x))


def stretched(t, x, like):
    if not isinstance(x, torch.Tensor) or tuple(x.shape) == tuple(like.shape):
        x = t.value(x)
        return x if not isinstance(x, Expression) else infix(x, "*", ones(like.shape))
    return infix(t.value(x), "*", ones(like.shape))


def ones(shape):
    return number(1) if len(shape) == 0 else call("ones", *[str(int(size)) for size in shape])


def zeros(shape):
    return number(0) if len(shape) == 0 else call("zeros", *[str(int(size)) for size in shape])


def full(shape, value):
    if len(shape) == 0 or value == 0:
        return number(value) if len(shape) == 0 else zeros(shape)
    if value == 1:
        return ones(shape)
    if math.isinf(value) or math.isnan(value):
        return call("where", ones(shape), number(value), 0)
    return infix(number(value), "*", ones(shape))


def reduced_of(function, expression, x, dim, keepdim):
    axis = axes_of(dim, x.dim()) if x.dim() else None
    keywords = {} if axis is None else {"axis": axis}
    return call(function, expression, **keywords, **({"keepdims": True} if keepdim and x.dim() else {}))


def picked(t, out, x, dim, squeeze=False):
    """The elements that an operation chose: which ones is held."""
    index = out[1]
    chosen = t.held(index, "chosen")
    t.bind(index, chosen)
    if x.dim() == 0:
        return [t.value(x), None]
    dim = dim % x.dim()
    full = index.unsqueeze(dim) if squeeze else index
    at = chosen
    if squeeze:
        at = named(t, call("unsqueeze", chosen, axis=dim), full.shape)
        at.is_index = True
    found = take_along(t, t.value(x), at, full.shape, dim, x.shape[dim])
    if squeeze:
        found = call("squeeze", named(t, found, full.shape), axis=dim)
    return [found, None]


def take_along(t, x, index, shape, dim, size):
    """``x``, which has ``size`` elements along an axis, at places there that differ in every row.

    Indices for all axes, of which all but one count up; where the program computes the places, the sum over those that are hit.
    """
    rank = len(shape)
    if index.is_index and not is_given(index) and dim == rank - 1:
        return call("pick", x, index, batch=rank - 1) if rank > 1 else call("pick", x, index)
    if not index.is_index or not is_given(index):
        hit = infix(call("unsqueeze", index, axis=rank), "==", call("arange", str(size)))
        rows = x
        if dim != rank - 1:
            rows = call("permute", rows, str([axis for axis in range(rank) if axis != dim] + [dim]))
            # The places of an axis that is not the last: the rows are those of the other axes.
            rows = call("unsqueeze", rows, axis=dim)
        else:
            rows = call("unsqueeze", rows, axis=rank - 1)
        return call("sum", call("where", hit, rows, 0), axis=rank)
    if rank == 1:
        return call("gather", x, index)
    counted = [torch.arange(n).reshape([-1] + [1] * (rank - axis - 1)) for axis, n in enumerate(shape)]
    return indexed_by(x, [index if axis == dim else positions(counted[axis]) for axis in range(rank)])


def reshaped(t, x, out):
    return t.value(x) if x.shape == out.shape else call("reshape", t.value(x), shape_of(out))


def conv_of(t, x, w, shape, stride, padding, dilation):
    """A convolution. What differs from axis to axis is done by steps in the result, and by zeros around the operand."""
    axes = len(shape) - 2
    stride, padding, dilation = (
        [int(one) for one in each] * (axes if len(each) == 1 else 1) for each in (stride, padding, dilation)
    )
    if len(set(dilation)) > 1:
        raise NotImplementedError
    keywords = {"dilation": dilation[0]} if dilation[0] != 1 else {}
    if len(set(padding)) > 1:
        size = list(shape)
        for axis, before in enumerate(padding, 2):
            if before:
                size[axis] = before
                rim = zeros(size)
                x = call("concat", [rim, x, rim], axis=axis)
            size[axis] = shape[axis] + 2 * before
    elif padding[0]:
        keywords["padding"] = padding[0]
    if len(set(stride)) == 1:
        return call("conv", x, w, **keywords, **({"stride": stride[0]} if stride[0] != 1 else {}))
    return indexed(call("conv", x, w, **keywords), ", ".join([":", ":", *[f"::{step}" for step in stride]]))


def ordered(t, out, x, dim, which: slice, descending=False, squeeze=False):
    """Elements by their rank along an axis. Which of several that tie comes first is the language's order or, where PyTorch
    chose others, held."""
    if x.dim() == 0:
        return picked(t, out, x, dim)
    dim = dim % x.dim()
    cut = (slice(None),) * dim + (which,)
    order = torch.sort(x, dim=dim, descending=descending, stable=True).indices[cut]
    order = order.squeeze(dim) if squeeze else order
    if order.shape != out[1].shape or not torch.equal(order, out[1]):
        return picked(t, out, x, dim, squeeze)
    keywords = {"axis": dim, **({"descending": True} if descending else {})}
    found = t.program.several(call("sort", t.value(x), **keywords), [x.shape, x.shape])
    if which == slice(None):
        found[1].is_index = True
        return found
    text = str(which.start) if squeeze else f"{which.start if which.start else ''}:{which.stop}"
    found = [t.program.value(indexed(one, ", ".join([":"] * dim + [text])), out[1].shape) for one in found]
    found[1].is_index = True
    return found
