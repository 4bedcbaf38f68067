"""Element by element: arithmetic, comparisons, functions and activations."""

from __future__ import annotations

import torch

from ..._program import Expression, call, infix, negative, number, power
from .rules import TABLE, Rule, named, rule, scaled

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
for _name, _function in {"i0": "i0", "special_i1": "i1", "bessel_i0": "i0", "bessel_i1": "i1"}.items():
    TABLE[_name] = Rule(lambda t, out, x, function=_function: call(function, t.value(x)))
TABLE["polygamma"] = Rule(lambda t, out, n, x: call("polygamma", n, t.value(x)))
TABLE["isnan"] = Rule(lambda t, out, x: infix(t.value(x), "!=", t.value(x)))
TABLE["logical_not"] = Rule(lambda t, out, x: infix(t.value(x), "==", 0))
TABLE["bitwise_not"] = Rule(
    lambda t, out, x: infix(t.value(x), "==", 0) if x.dtype == torch.bool else infix(-1, "-", t.value(x))
)
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
    lambda t, out, a, b: infix(
        t.value(a), "-", infix(t.value(b), "*", call("trunc", infix(t.value(a), "/", t.value(b))))
    )
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
TABLE["lerp"] = Rule(
    lambda t, out, a, b, w: infix(t.value(a), "+", infix(t.value(w), "*", infix(t.value(b), "-", t.value(a))))
)


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
        value = (
            call("where", infix(value, "<=", t.value(max)), value, t.value(max))
            if ties
            else call("minimum", value, t.value(max))
        )
    return value


TABLE["clamp_max"] = Rule(lambda t, out, x, max: _clamp(t, out, x, None, max))
TABLE["hardtanh"] = Rule(lambda t, out, x, low=-1, high=1: call("hardtanh", t.value(x), low, high))
TABLE["threshold"] = Rule(
    lambda t, out, x, threshold, value: call(
        "where", infix(t.value(x), ">", number(threshold)), t.value(x), number(value)
    )
)
TABLE["gelu"] = Rule(
    lambda t, out, x, approximate="none": call("gelu" if approximate == "none" else "gelu_tanh", t.value(x))
)
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
