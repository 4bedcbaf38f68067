"""What the operations of ATen are in the language.

One function for each, by ATen's name: it is given the tracer, the tensors that the operation returned, and the operation's own
arguments, and returns an expression for each of these tensors. What returns integers that were chosen by the numbers (`topk`,
`argmax`) returns no expression for them: they are held as they are.
"""

from __future__ import annotations

import math

import torch

from .._program import Expression, call, indexed, indexed_by, infix, negative, number, positions, power, transposed


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
CONSTANT = {"_linalg_check_errors", "_assert_async", "_assert_tensor_metadata", "record_stream", "sym_size", "sym_stride", "sym_numel"}


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


# Element by element.

for _name in (
    "abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc exp exp2 expm1 floor log log10 log1p log2 relu relu6 rsqrt "
    "sigmoid sin sinh sqrt tan tanh trunc reciprocal silu mish hardswish hardsigmoid lgamma digamma sign"
).split():
    TABLE[_name] = Rule(lambda t, out, x, _f=_name, **_: call(_f, t.value(x)))
@rule("round")
def _round(t, out, x, *, decimals=0):
    if decimals == 0:
        return call("round", t.value(x))
    scale = number(10.0 ** abs(decimals))
    shifted = infix(t.value(x), "*" if decimals > 0 else "/", scale)
    return infix(call("round", shifted), "/" if decimals > 0 else "*", scale)


TABLE["sgn"] = TABLE["sign"]
TABLE["fix"] = TABLE["trunc"]
TABLE["special_erf"] = TABLE["erf"]
TABLE["square"] = Rule(lambda t, out, x: power(t.value(x), 2))
TABLE["neg"] = Rule(lambda t, out, x: negative(t.value(x)))
TABLE["positive"] = Rule(lambda t, out, x: t.value(x))
TABLE["frac"] = Rule(lambda t, out, x: infix(t.value(x), "-", call("trunc", t.value(x))))
TABLE["log_sigmoid_forward"] = Rule(lambda t, out, x: [call("logsigmoid", t.value(x)), None])
TABLE["logit"] = Rule(
    lambda t, out, x, eps=None: call("logit", t.value(x) if eps is None else call("clamp", t.value(x), eps, 1 - eps))
)
TABLE["polygamma"] = Rule(lambda t, out, n, x: call("polygamma", n, t.value(x)))
TABLE["isnan"] = Rule(lambda t, out, x: infix(t.value(x), "!=", t.value(x)))
TABLE["logical_not"] = Rule(lambda t, out, x: infix(t.value(x), "==", 0))
TABLE["bitwise_not"] = Rule(lambda t, out, x: infix(t.value(x), "==", 0) if x.dtype == torch.bool else infix(-1, "-", t.value(x)))


def scaled(t, x, factor):
    return t.value(x) if factor == 1 else infix(number(factor), "*", t.value(x))


TABLE["add"] = Rule(lambda t, out, a, b, alpha=1: infix(t.value(a), "+", scaled(t, b, alpha)))
TABLE["sub"] = Rule(lambda t, out, a, b, alpha=1: infix(t.value(a), "-", scaled(t, b, alpha)))
TABLE["rsub"] = Rule(lambda t, out, a, b, alpha=1: infix(t.value(b), "-", scaled(t, a, alpha)))
TABLE["mul"] = Rule(lambda t, out, a, b: infix(t.value(a), "*", t.value(b)))
for _name, _sign in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    TABLE[_name] = Rule(lambda t, out, a, b, _s=_sign: infix(t.value(a), _s, t.value(b)))
TABLE["logical_and"] = Rule(lambda t, out, a, b: call("logical_and", t.value(a), t.value(b)))
TABLE["logical_or"] = Rule(lambda t, out, a, b: call("logical_or", t.value(a), t.value(b)))
TABLE["logical_xor"] = Rule(lambda t, out, a, b: infix(call("truth", t.value(a)), "!=", call("truth", t.value(b))))


def _bitwise(sign):
    def of(t, out, a, b):
        if out[0].dtype != torch.bool:
            return t.held(out[0], "bits")
        return infix(t.value(a), sign, t.value(b))

    return of


TABLE["bitwise_and"], TABLE["bitwise_or"], TABLE["bitwise_xor"] = (Rule(_bitwise(sign)) for sign in ("&", "|", "!="))


@rule("div")
def _div(t, out, a, b, rounding_mode=None):
    ratio = infix(_numbers(t, a), "/", _numbers(t, b))
    return ratio if rounding_mode is None else call({"floor": "floor", "trunc": "trunc"}[rounding_mode], ratio)


def _numbers(t, x):
    """The value of integers as numbers to compute with."""
    value = t.value(x)
    return infix(value, "+", 0) if isinstance(x, torch.Tensor) and not x.is_floating_point() else value


TABLE["floor_divide"] = Rule(lambda t, out, a, b: call("floor", infix(t.value(a), "/", t.value(b))))


@rule("remainder")
def _remainder(t, out, a, b):
    whole = call("floor", infix(t.value(a), "/", t.value(b)))
    return infix(t.value(a), "-", infix(t.value(b), "*", whole))


TABLE["fmod"] = Rule(
    lambda t, out, a, b: infix(t.value(a), "-", infix(t.value(b), "*", call("trunc", infix(t.value(a), "/", t.value(b)))))
)


@rule("pow")
def _pow(t, out, a, b):
    if isinstance(b, torch.Tensor) and b.dim() == 0 and not b.requires_grad and not b.is_floating_point():
        b = b.item()
    return power(t.value(a), t.value(b))


TABLE["atan2"] = Rule(lambda t, out, a, b: call("atan2", t.value(a), t.value(b)))
TABLE["hypot"] = Rule(lambda t, out, a, b: call("hypot", t.value(a), t.value(b)))
TABLE["maximum"] = Rule(lambda t, out, a, b: call("maximum", t.value(a), t.value(b)))
TABLE["minimum"] = Rule(lambda t, out, a, b: call("minimum", t.value(a), t.value(b)))
TABLE["fmax"], TABLE["fmin"] = TABLE["maximum"], TABLE["minimum"]
TABLE["logaddexp"] = Rule(lambda t, out, a, b: call("logaddexp", t.value(a), t.value(b)))
TABLE["xlogy"] = Rule(lambda t, out, a, b: call("xlogy", t.value(a), t.value(b)))
TABLE["where"] = Rule(lambda t, out, c, a, b: call("where", t.value(c), t.value(a), t.value(b)))
TABLE["masked_fill"] = Rule(lambda t, out, x, mask, value: call("where", t.value(mask), t.value(value), t.value(x)))
TABLE["lerp"] = Rule(lambda t, out, a, b, w: infix(t.value(a), "+", infix(t.value(w), "*", infix(t.value(b), "-", t.value(a)))))


@rule("addcmul")
def _addcmul(t, out, x, a, b, value=1):
    product = infix(t.value(a), "*", t.value(b))
    return infix(t.value(x), "+", product if value == 1 else infix(number(value), "*", product))


@rule("addcdiv")
def _addcdiv(t, out, x, a, b, value=1):
    ratio = infix(t.value(a), "/", t.value(b))
    return infix(t.value(x), "+", ratio if value == 1 else infix(number(value), "*", ratio))


def _bounded(t, x, bound, function, sign, shape):
    """The larger or smaller of a value and a bound. At the bound itself PyTorch lets the gradient through."""
    value, limit = t.value(x), t.value(bound)
    ties = isinstance(x, torch.Tensor) and bool((x == bound).any())
    if not ties:
        return call(function, value, limit)
    return call("where", infix(value, sign, limit), value, limit)


@rule("clamp", "clamp_min")
def _clamp(t, out, x, min=None, max=None):
    value = t.value(x)
    if min is not None:
        value = _bounded(t, x, min, "maximum", ">=", x.shape)
    if max is not None:
        if isinstance(value, Expression):
            value = named(t, value, out[0].shape)
        ties = bool((out[0] == max).any())
        value = call("where", infix(value, "<=", t.value(max)), value, t.value(max)) if ties else call("minimum", value, t.value(max))
    return value


TABLE["clamp_max"] = Rule(lambda t, out, x, max: _clamp(t, out, x, None, max))
TABLE["hardtanh"] = Rule(lambda t, out, x, low=-1, high=1: call("hardtanh", t.value(x), low, high))
TABLE["threshold"] = Rule(
    lambda t, out, x, threshold, value: call("where", infix(t.value(x), ">", number(threshold)), t.value(x), number(value))
)
TABLE["gelu"] = Rule(lambda t, out, x, approximate="none": call("gelu" if approximate == "none" else "gelu_tanh", t.value(x)))
TABLE["leaky_relu"] = Rule(lambda t, out, x, slope=0.01: call("leaky_relu", t.value(x), number(slope)))


@rule("elu")
def _elu(t, out, x, alpha=1, scale=1, input_scale=1):
    x = t.value(x)
    curved = infix(number(alpha), "*", call("expm1", x if input_scale == 1 else infix(number(input_scale), "*", x)))
    both = call("where", infix(x, ">", 0), x, curved)
    return both if scale == 1 else infix(number(scale), "*", both)


@rule("softplus")
def _softplus(t, out, x, beta=1, threshold=20):
    value = t.value(x)
    scaled = value if beta == 1 else infix(number(beta), "*", value)
    curved = call("softplus", scaled) if beta == 1 else infix(call("softplus", scaled), "/", number(beta))
    if not bool((x * beta > threshold).any()):
        return curved
    return call("where", infix(scaled, ">", number(threshold)), value, curved)


@rule("native_dropout")
def _dropout(t, out, x, p, train):
    if not train:
        return [t.value(x), None]
    kept = t.held(out[1], "kept")
    t.bind(out[1], kept)
    scale = 1 / (1 - p) if p < 1 else 0.0
    return [infix(infix(t.value(x), "*", kept), "*", number(scale)), None]


# The same numbers.

for _name in "clone alias _to_copy contiguous lift_fresh lift_fresh_copy to view_as lift _reshape_alias_copy resolve_conj".split():
    TABLE[_name] = Rule(lambda t, out, x, *_, **__: _converted(t, out, x))
TABLE["detach"] = Rule(lambda t, out, x: call("stop_gradient", t.value(x)), fresh=True)
TABLE["copy"] = Rule(lambda t, out, x, src, *_: _stretched(t, src, x))


def _converted(t, out, x):
    """In another precision it is the same; as an integer it is cut off."""
    if x.is_floating_point() and not out[0].is_floating_point():
        return call("truth", t.value(x)) if out[0].dtype == torch.bool else call("trunc", t.value(x))
    if out[0].dtype == torch.bool and x.dtype != torch.bool:
        return call("truth", t.value(x))
    return t.value(x)


def _stretched(t, x, like):
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


for _name in "zeros zeros_like new_zeros empty empty_like new_empty empty_strided new_empty_strided zero".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: zeros(out[0].shape))
for _name in "ones ones_like new_ones".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: ones(out[0].shape))


@rule("full", "full_like", "new_full", "scalar_tensor", "fill")
def _full(t, out, *args, **kwargs):
    value = kwargs.get("fill_value", args[-1] if args else 0)
    if isinstance(value, torch.Tensor):
        return _stretched(t, value, out[0])
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


# Reductions.

TABLE["sum"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("sum", t, x, dim, keepdim))
TABLE["mean"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("mean", t, x, dim, keepdim))
TABLE["amax"] = Rule(lambda t, out, x, dim=(), keepdim=False: reduced("max", t, x, dim, keepdim))
TABLE["amin"] = Rule(lambda t, out, x, dim=(), keepdim=False: reduced("amin", t, x, dim, keepdim))
TABLE["prod"] = Rule(lambda t, out, x, dim=None, keepdim=False, **_: reduced("prod", t, x, dim, keepdim))
TABLE["logsumexp"] = Rule(lambda t, out, x, dim, keepdim=False: reduced("logsumexp", t, x, dim, keepdim))
TABLE["any"] = Rule(lambda t, out, x, dim=None, keepdim=False: infix(reduced_truth(t, x, dim, keepdim), ">", 0))
TABLE["all"] = Rule(lambda t, out, x, dim=None, keepdim=False: infix(reduced_truth(t, x, dim, keepdim, False), "==", 0))
TABLE["trace"] = Rule(lambda t, out, x: call("trace", t.value(x)) if x.shape[0] == x.shape[1] else call("sum", call("diag", t.value(x))))
TABLE["cumsum"] = Rule(lambda t, out, x, dim, **_: call("cumsum", t.value(x), axis=dim % max(x.dim(), 1)) if x.dim() else t.value(x))


def reduced_truth(t, x, dim, keepdim, holds=True):
    truth = call("truth", t.value(x)) if holds else infix(t.value(x), "==", 0)
    axis = axes_of(dim, x.dim())
    keywords = {} if axis is None else {"axis": axis}
    return call("sum", truth, **keywords, **({"keepdims": True} if keepdim else {}))


def _spread(function, t, x, dim, unbiased, keepdim, correction):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return reduced(function, t, x, dim, keepdim, **({"correction": correction} if correction else {}))


TABLE["var"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: _spread(
        "var", t, x, dim, unbiased, keepdim, correction
    )
)
TABLE["std"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: _spread(
        "std", t, x, dim, unbiased, keepdim, correction
    )
)
TABLE["var_mean"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: [
        _spread("var", t, x, dim, unbiased, keepdim, correction),
        reduced("mean", t, x, None if isinstance(dim, bool) else dim, keepdim),
    ]
)
TABLE["std_mean"] = Rule(
    lambda t, out, x, dim=None, unbiased=None, keepdim=False, *, correction=None: [
        _spread("std", t, x, dim, unbiased, keepdim, correction),
        reduced("mean", t, x, None if isinstance(dim, bool) else dim, keepdim),
    ]
)


def _reduced_of(function, expression, x, dim, keepdim):
    axis = axes_of(dim, x.dim()) if x.dim() else None
    keywords = {} if axis is None else {"axis": axis}
    return call(function, expression, **keywords, **({"keepdims": True} if keepdim and x.dim() else {}))


@rule("linalg_vector_norm", "norm")
def _norm(t, out, x, ord=2, dim=None, keepdim=False, **_):
    ord = 2 if ord is None else ord
    if not isinstance(ord, (int, float)):
        raise NotImplementedError
    size = call("abs", t.value(x))
    if ord == 0:
        return _reduced_of("sum", call("truth", t.value(x)), x, dim, keepdim)
    if ord == -math.inf:
        return _reduced_of("min", size, x, dim, keepdim)
    if ord < 1:
        return power(_reduced_of("sum", power(size, float(ord)), x, dim, keepdim), 1 / ord)
    return reduced("norm", t, x, dim, keepdim, **({} if ord == 2 else {"p": ord}))


def _extreme(function, t, out, x, dim, keepdim):
    if isinstance(dim, torch.Tensor):
        return call({"max": "maximum", "min": "minimum"}[function], t.value(x), t.value(dim))
    if dim is None:
        return call(function, t.value(x))
    return _picked(t, out, x, dim, squeeze=not keepdim)


TABLE["max"] = Rule(lambda t, out, x, dim=None, keepdim=False: _extreme("max", t, out, x, dim, keepdim))
TABLE["min"] = Rule(lambda t, out, x, dim=None, keepdim=False: _extreme("min", t, out, x, dim, keepdim))


def _picked(t, out, x, dim, squeeze=False):
    """The elements that an operation chose: which ones is held."""
    values, index = out[0], out[1]
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


TABLE["topk"] = Rule(lambda t, out, x, k, dim=-1, largest=True, sorted=True: _picked(t, out, x, dim))
TABLE["sort"] = Rule(lambda t, out, x, *args, dim=-1, descending=False, stable=None: _picked(t, out, x, _sort_dim(args, dim)))
TABLE["kthvalue"] = Rule(lambda t, out, x, k, dim=-1, keepdim=False: _picked(t, out, x, dim, squeeze=not keepdim))
TABLE["mode"] = Rule(lambda t, out, x, dim=-1, keepdim=False: _picked(t, out, x, dim, squeeze=not keepdim))


@rule("median", "nanmedian")
def _median(t, out, x, dim=None, keepdim=False):
    if dim is not None:
        return _picked(t, out, x, dim, squeeze=not keepdim)
    at = (x == out[0]).reshape(-1).nonzero().reshape(-1)
    if at.numel() != 1:
        # Of elements that tie each has a share of the gradient.
        raise NotImplementedError
    return call("reshape", call("gather", call("reshape", t.value(x), f"[{x.numel()}]"), t.held(at, "chosen")), "[]")


TABLE["cummax"] = Rule(lambda t, out, x, dim: _picked(t, out, x, dim))
TABLE["cummin"] = TABLE["cummax"]
for _name in "argmax argmin argsort bincount searchsorted bucketize histc unique2 _unique2".split():
    TABLE[_name] = Rule(lambda t, out, *_, **__: t.held(out[0], "chosen"))


def _sort_dim(args, dim):
    return next((arg for arg in args if isinstance(arg, int) and not isinstance(arg, bool)), dim)


def take_along(t, x, index, shape, dim, size):
    """``x``, which has ``size`` elements along an axis, at places there that differ in every row.

    Indices for all axes, of which all but one count up; where the program computes the places, the sum over those that are hit.
    """
    rank = len(shape)
    if not index.is_index:
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


# Shapes.

for _name in "view _unsafe_view reshape _reshape_alias flatten view_copy".split():
    TABLE[_name] = Rule(lambda t, out, x, *_, **__: reshaped(t, x, out[0]))


def reshaped(t, x, out):
    return t.value(x) if x.shape == out.shape else call("reshape", t.value(x), shape_of(out))


@rule("unsqueeze")
def _unsqueeze(t, out, x, dim):
    return call("unsqueeze", t.value(x), axis=dim % out[0].dim())


@rule("squeeze")
def _squeeze(t, out, x, dim=None):
    return reshaped(t, x, out[0])


TABLE["expand"] = Rule(lambda t, out, x, *_, **__: t.value(x) if x.shape == out[0].shape else infix(t.value(x), "*", ones(out[0].shape)))
TABLE["broadcast_to"] = TABLE["expand"]
TABLE["permute"] = Rule(lambda t, out, x, dims: call("permute", t.value(x), "[" + ", ".join(str(dim % x.dim()) for dim in dims) + "]"))
TABLE["t"] = Rule(lambda t, out, x: transposed(t.value(x)) if x.dim() == 2 else t.value(x))


@rule("transpose")
def _transpose(t, out, x, a, b):
    if x.dim() == 2 and a % 2 != b % 2:
        return TABLE["t"].of(t, out, x)
    return t.value(x) if x.dim() == 0 or a % x.dim() == b % x.dim() else call("transpose", t.value(x), a % x.dim(), b % x.dim())


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
    lambda t, out, x, dim=0: [indexed(t.value(x), ", ".join([":"] * (dim % x.dim()) + [str(k)])) for k in range(len(out))]
)


@rule("cat")
def _cat(t, out, xs, dim=0):
    parts = [x for x in xs if not (x.dim() == 1 and x.numel() == 0)]
    return t.value(parts[0]) if len(parts) == 1 else call("concat", [t.value(x) for x in parts], axis=dim % out[0].dim())


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
        value = call("reshape", value, "[" + ", ".join(["1"] * (len(repeats) - x.dim()) + [str(size) for size in x.shape]) + "]")
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


# Selection.


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


TABLE["index_select"] = Rule(lambda t, out, x, dim, index: call("gather", t.value(x), t.index(index), axis=dim % x.dim()))


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
    source = call("reshape", t.value(src[tuple(slice(0, n) for n in index.shape)]) if src.shape != index.shape else t.value(src), f"[{index.numel()}]")
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
        raise NotImplementedError
    added = call("scatter_add", t.value(source), t.index(index), str(x.shape[0]))
    return infix(t.value(x), "+", added if alpha == 1 else infix(number(alpha), "*", added))


@rule("index_put", "_unsafe_index_put", "_index_put_impl")
def _index_put(t, out, x, indices, values, accumulate=False, unsafe=False):
    places = torch.arange(x.numel()).reshape(x.shape)[tuple(slice(None) if one is None else one for one in indices)]
    if all(one is None or one.dtype in (torch.bool, torch.uint8) for one in indices) and not accumulate and len(indices) == 1:
        mask = t.value(indices[0])
        return call("where", mask, t.value(values), t.value(x)) if indices[0].shape == x.shape else _held_put(t, x, places, values, accumulate)
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


TABLE["take"] = Rule(lambda t, out, x, index: call("gather", call("reshape", t.value(x), f"[{x.numel()}]"), t.index(index)))


# Products.

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
    return infix(scaled(t, x, beta), "+", infix(number(alpha), "*", call("sum", infix(t.value(a), "@", t.value(b)), axis=0)))


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


def conv_of(t, x, w, shape, stride, padding, dilation):
    """A convolution. What differs from axis to axis is done by steps in the result, and by zeros around the operand."""
    axes = len(shape) - 2
    stride, padding, dilation = ([int(one) for one in each] * (axes if len(each) == 1 else 1) for each in (stride, padding, dilation))
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


# Linear algebra.

TABLE["linalg_inv_ex"] = Rule(lambda t, out, x, **_: [call("inv", t.value(x)), None])
TABLE["inverse"] = Rule(lambda t, out, x: call("inv", t.value(x)))
TABLE["linalg_cholesky_ex"] = Rule(
    lambda t, out, x, *, upper=False, **_: [
        call("transpose", call("cholesky", t.value(x)), x.dim() - 2, x.dim() - 1) if upper else call("cholesky", t.value(x)),
        None,
    ]
)
TABLE["_linalg_det"] = Rule(lambda t, out, x: [call("det", t.value(x))])
TABLE["_linalg_slogdet"] = Rule(lambda t, out, x: [call("sign", call("det", t.value(x))), call("log", call("abs", call("det", t.value(x))))])
TABLE["_linalg_eigh"] = Rule(lambda t, out, x, *_, **__: _several(t, out, "eigh", x))


@rule("linalg_qr")
def _qr(t, out, x, mode="reduced"):
    if mode != "reduced" or x.shape[-2] < x.shape[-1]:
        raise NotImplementedError
    q, r = _several(t, out, "qr", x)
    signs = out[1].diagonal(dim1=-2, dim2=-1).sign()
    if bool((signs >= 0).all()):
        return [q, r]
    # In the language the diagonal is not negative, and PyTorch's has the signs that it has on these numbers.
    t.by_value.append("qr")
    columns = named(t, positions(signs.int()), signs.shape)
    return [infix(q, "*", columns), infix(call("unsqueeze", columns, axis=signs.dim()), "*", r)]





def _several(t, out, function, x):
    if function == "eigh" and not torch.allclose(x, x.mT):
        # PyTorch reads one triangle, and the language both.
        raise NotImplementedError
    return t.program.several(call(function, t.value(x)), [one.shape for one in out])


@rule("_linalg_solve_ex")
def _solve(t, out, a, b, *, left=True, **_):
    if not left:
        raise NotImplementedError
    return [call("solve", t.value(a), t.value(b))]


@rule("linalg_solve_triangular")
def _solve_triangular(t, out, a, b, *, upper, left=True, unitriangular=False):
    triangle, off = ("triu", 1) if upper else ("tril", -1)
    matrix = call(triangle, t.value(a))
    if unitriangular:
        matrix = infix(call(triangle, t.value(a), k=off), "+", call("eye", str(a.shape[-1])))
    if left:
        return call("solve", matrix, t.value(b))
    rank = a.dim()
    if rank != b.dim():
        raise NotImplementedError
    turned = call("solve", call("transpose", matrix, rank - 2, rank - 1), call("transpose", t.value(b), rank - 2, rank - 1))
    return call("transpose", turned, rank - 2, rank - 1)


# Layers.

TABLE["_softmax"] = Rule(lambda t, out, x, dim, *_: call("softmax", t.value(x), axis=dim % x.dim()) if x.dim() else ones(()))


@rule("_safe_softmax")
def _safe_softmax(t, out, x, dim, *_):
    if bool(torch.isinf(x).all(dim).any()):
        raise NotImplementedError
    return TABLE["_softmax"].of(t, out, x, dim)


TABLE["_log_softmax"] = Rule(lambda t, out, x, dim, *_: call("log_softmax", t.value(x), axis=dim % x.dim()) if x.dim() else zeros(()))


@rule("native_layer_norm")
def _layer_norm(t, out, x, normalized, weight, bias, eps):
    axes = list(range(x.dim() - len(normalized), x.dim()))
    axis = axes_of(axes, x.dim()) if len(axes) < x.dim() else None
    where = {"axis": axis} if axis is not None else {}
    mean = call("mean", t.value(x), **where, keepdims=True)
    spread = infix(call("var", t.value(x), **where, keepdims=True), "+", number(eps))
    rstd = call("rsqrt", spread)
    if len(axes) == 1:
        operands = [t.value(one) if one is not None else "none" for one in (weight, bias)]
        while operands and operands[-1] == "none":
            operands.pop()
        return [call("layer_norm", t.value(x), *operands, eps=eps), mean, rstd]
    y = infix(infix(t.value(x), "-", mean), "*", rstd)
    return [_affine(t, y, weight, bias), mean, rstd]


def _affine(t, y, weight, bias, index=None):
    for operand, operator in ((weight, "*"), (bias, "+")):
        if operand is not None:
            value = t.value(operand)
            y = infix(y, operator, value if index is None else indexed(value, index))
    return y


TABLE["_fused_rms_norm"] = Rule(lambda t, out, x, shape, weight, eps: _rms_norm(t, out, x, shape, weight, eps))


def _rms_norm(t, out, x, shape, weight, eps):
    if len(shape) != 1:
        raise NotImplementedError
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    operands = [t.value(weight)] if weight is not None else []
    rstd = call("rsqrt", infix(call("mean", power(t.value(x), 2), axis=x.dim() - 1, keepdims=True), "+", number(eps)))
    return [call("rms_norm", t.value(x), *operands, eps=eps), rstd]


@rule("native_group_norm")
def _group_norm(t, out, x, weight, bias, n, c, hw, groups, eps):
    rows = call("reshape", t.value(x), f"[{n}, {groups}, {c // groups * hw}]")
    rows = named(t, rows, (n, groups, c // groups * hw))
    mean = named(t, call("mean", rows, axis=2, keepdims=True), (n, groups, 1))
    rstd = named(t, call("rsqrt", infix(call("var", rows, axis=2, keepdims=True), "+", number(eps))), (n, groups, 1))
    y = call("reshape", infix(infix(rows, "-", mean), "*", rstd), shape_of(x))
    index = ", ".join([":"] + ["None"] * (x.dim() - 2)) if x.dim() > 2 else None
    return [
        _affine(t, y, weight, bias, index),
        call("reshape", mean, f"[{n}, {groups}]"),
        call("reshape", rstd, f"[{n}, {groups}]"),
    ]


@rule("native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit_no_training")
def _batch_norm(t, out, x, weight, bias, *rest, **_):
    if len(rest) == 5:
        running_mean, running_var, training, _, eps = rest
    elif len(rest) == 4 and isinstance(rest[0], torch.Tensor):
        running_mean, running_var, training, eps = rest[0], rest[1], False, rest[3]
    else:
        running_mean, running_var, (training, _, eps) = None, None, rest[-3:]
    index = ", ".join([":"] + ["None"] * (x.dim() - 2)) if x.dim() > 2 else None
    axes = [axis for axis in range(x.dim()) if axis != 1]
    axis = axes[0] if len(axes) == 1 else axes
    if training:
        mean = named(t, call("mean", t.value(x), axis=axis, keepdims=True), ())
        var = call("var", t.value(x), axis=axis, keepdims=True)
    else:
        mean, var = t.value(running_mean), t.value(running_var)
        mean, var = (indexed(one, index) if index else one for one in (mean, var))
    y = infix(infix(t.value(x), "-", mean), "*", call("rsqrt", infix(var, "+", number(eps))))
    return [_affine(t, y, weight, bias, index)]


TABLE["_native_batch_norm_legit"] = Rule(_batch_norm)
TABLE["_batch_norm_with_update"] = Rule(
    lambda t, out, x, weight, bias, mean, var, momentum, eps: _batch_norm(t, out, x, weight, bias, mean, var, True, momentum, eps)
)
TABLE["_native_batch_norm_legit"].updates = TABLE["_batch_norm_with_update"].updates = True


@rule("nll_loss_forward")
def _nll(t, out, logp, target, weight, reduction, ignore):
    rows = logp if logp.dim() == 2 else logp.unsqueeze(0)
    values = t.value(logp) if logp.dim() == 2 else call("unsqueeze", t.value(logp), axis=0)
    at = t.index(target)
    at = at if target.dim() == 1 else call("reshape", at, "[1]")
    count, counted = rows.shape[0], None
    if bool((target == ignore).any()):
        counted = named(t, infix(at, "!=", number(ignore)), (count,))
        inside = bool(((target >= 0) & (target < rows.shape[1])).all())
        at = at if inside else t.held(torch.where(target == ignore, 0, target), "target")
    picked = negative(indexed_by(values, [call("arange", str(count)), at]))
    weights = counted
    if weight is not None:
        weights = indexed_by(t.value(weight), [at])
        weights = weights if counted is None else infix(weights, "*", counted)
    if weights is not None:
        weights = named(t, weights, (count,))
        picked = infix(weights, "*", picked)
    if reduction == 0:
        return [picked if target.dim() == 1 else call("reshape", picked, "[]"), None]
    if reduction == 2:
        return [call("sum", picked), None]
    return [call("mean", picked) if weights is None else infix(call("sum", picked), "/", call("sum", weights)), None]


def _attention(t, out, q, k, v, dropout=0.0, causal=False, mask=None, scale=None):
    if dropout:
        raise NotImplementedError
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    groups = q.shape[1] // k.shape[1] if q.dim() == 4 else 1
    key, value = t.value(k), t.value(v)
    if groups > 1:
        at = positions(torch.arange(q.shape[1]) // groups)
        key, value = (call("gather", one, at, axis=1) for one in (key, value))
    scores = infix(infix(t.value(q), "@", call("transpose", key, q.dim() - 2, q.dim() - 1)), "*", number(scale))
    rows, columns = q.shape[-2], k.shape[-2]
    if causal:
        scores = call("where", call("tril", ones((rows, columns))), scores, number(float("-inf")))
    if mask is not None:
        if mask.dtype == torch.bool:
            scores = call("where", t.value(mask), scores, number(float("-inf")))
        else:
            scores = infix(scores, "+", t.value(mask))
    shape = (*q.shape[:-1], columns)
    p = named(t, call("softmax", scores, axis=q.dim() - 1), shape)
    return [infix(p, "@", value)]


TABLE["_scaled_dot_product_flash_attention_for_cpu"] = Rule(
    lambda t, out, q, k, v, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, attn_mask, scale
    )
)
TABLE["_scaled_dot_product_efficient_attention"] = Rule(
    lambda t, out, q, k, v, attn_bias, compute_log_sumexp, dropout_p=0.0, is_causal=False, *, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, attn_bias, scale
    )
)
TABLE["_scaled_dot_product_flash_attention"] = Rule(
    lambda t, out, q, k, v, dropout_p=0.0, is_causal=False, return_debug_mask=False, *, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, None, scale
    )
)

for _name in (
    "clone alias _to_copy contiguous view _unsafe_view reshape _reshape_alias flatten view_copy unsqueeze squeeze permute t transpose select "
    "slice split split_with_sizes unbind cat stack flip roll index index_select repeat lift_fresh lift_fresh_copy"
).split():
    TABLE[_name].moves = True
