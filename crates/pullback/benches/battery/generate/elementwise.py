"""Definitions that work element by element: smooth ones, such as have a domain, such as choose, and those of two operands.

A table has a row for each: the forward expression, its rule and, where it chooses, how far from turning it is.
"""

import torch
import torch.nn.functional as F

from expression import *
from operands import *
from program import Node


PI = E("pi", torch.tensor(torch.pi, dtype=torch.float64))
TWO, TEN = E("2", torch.tensor(2.0, dtype=torch.float64)), E("10", torch.tensor(10.0, dtype=torch.float64))


def smooth_relu(v):
    return F.softplus(v, threshold=1e4)


softplus = elementwise("softplus", smooth_relu)


UNARY = {
    "neg": (lambda x: -x, lambda g, x, y: -g),
    "exp": (lambda x: exp(0.5 * x), lambda g, x, y: 0.5 * g * y),
    "tanh": (tanh, lambda g, x, y: g * (1 - y**2)),
    "sigmoid": (sigmoid, lambda g, x, y: g * y * (1 - y)),
    "sin": (sin, lambda g, x, y: g * cos(x)),
    "cos": (cos, lambda g, x, y: -g * sin(x)),
    "square": (lambda x: x**2, lambda g, x, y: 2 * g * x),
    "cube": (lambda x: x**3, lambda g, x, y: 3 * g * x**2),
    "sqrt": (lambda x: sqrt(x**2 + 1), lambda g, x, y: g * x / y),
    "log": (lambda x: log(1 + x**2), lambda g, x, y: 2 * g * x / (1 + x**2)),
    "reciprocal": (lambda x: 1 / (2 + x**2), lambda g, x, y: -2 * g * x * y**2),
    "power": (lambda x: (x**2 + 1) ** -1.5, lambda g, x, y: -3 * g * x * (x**2 + 1) ** -2.5),
    "silu": (lambda x: x * sigmoid(x), lambda g, x, y: g * (sigmoid(x) + y * (1 - sigmoid(x)))),
    "scale": (lambda x: 0.5 * x, lambda g, x, y: 0.5 * g),
    "shift": (lambda x: x + 0.25, lambda g, x, y: g),
    "erf": (lambda x: call("erf", torch.erf, x), lambda g, x, y: g * 2 / sqrt(PI) * exp(-(x**2))),
    "atan": (lambda x: call("atan", torch.atan, x), lambda g, x, y: g / (1 + x**2)),
    "asinh": (lambda x: call("asinh", torch.asinh, x), lambda g, x, y: g / sqrt(1 + x**2)),
    "expm1": (lambda x: call("expm1", torch.expm1, 0.5 * x), lambda g, x, y: 0.5 * g * (y + 1)),
    "log1p": (lambda x: call("log1p", torch.log1p, x**2), lambda g, x, y: 2 * g * x / (1 + x**2)),
    "softplus-called": (lambda x: call("softplus", smooth_relu, x), lambda g, x, y: g * sigmoid(x)),
    "gelu": (
        lambda x: call("gelu", F.gelu, x),
        lambda g, x, y: g * (call("erfc", torch.erfc, -x / sqrt(TWO)) / 2 + x * exp(-(x**2) / 2) / sqrt(2 * PI))),
    "silu-called": (lambda x: call("silu", F.silu, x), lambda g, x, y: g * (sigmoid(x) + y * (1 - sigmoid(x)))),
    "erfc": (written_by("erfc", torch.erfc), lambda g, x, y: -2 * g / sqrt(PI) * exp(-(x**2))),
    "ndtr": (written_by("ndtr", torch.special.ndtr), lambda g, x, y: g * exp(-(x**2) / 2) / sqrt(2 * PI)),
    "log-ndtr": (written_by("log_ndtr", torch.special.log_ndtr), None),
    "sinc": (written_by("sinc", torch.special.sinc), None),
    "logsigmoid": (written_by("logsigmoid", F.logsigmoid), lambda g, x, y: g * sigmoid(-x)),
    "mish": (
        written_by("mish", F.mish),
        lambda g, x, y: g * (tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x)) ** 2))),
    "gelu-tanh": (written_by("gelu", lambda v: F.gelu(v, approximate="tanh"), ', approximate="tanh"'), None),
    "quick-gelu": (
        written_by("quick_gelu", lambda v: v * torch.sigmoid(1.702 * v)),
        lambda g, x, y: g * (sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * (1 - sigmoid(1.702 * x)))),
    "celu": (
        written_by("celu", lambda v: F.celu(v, 2.0), ", 2"), lambda g, x, y: chosen(x.compare(">", 0), g, g * exp(x / 2))),
    "elu-called": (written_by("elu", F.elu), lambda g, x, y: chosen(x.compare(">", 0), g, g * exp(x))),
    "nan-to-num": (written_by("nan_to_num", torch.nan_to_num), lambda g, x, y: g),
    "power-called": (
        lambda x: call("pow", lambda v: torch.pow(v, 3), x, keywords=", 3"),
        lambda g, x, y: 3 * g * call("square", torch.square, x)),
    "degrees": (written_by("deg2rad", torch.deg2rad), lambda g, x, y: g * PI / 180),
}


# What has a domain, behind a definition whose values lie in it.

DOMAINS = {
    "small": (lambda x: x / (1 + x**2), lambda g, x, y: g * (1 - x**2) / (1 + x**2) ** 2),
    "wave": (lambda x: 0.9 * sin(x), lambda g, x, y: 0.9 * g * cos(x)),
    "unit": (lambda x: 0.5 + 0.4 * sin(x), lambda g, x, y: 0.4 * g * cos(x)),
    "positive": (lambda x: 0.5 + x**2, lambda g, x, y: 2 * g * x),
    "beyond": (lambda x: 1.5 + x**2, lambda g, x, y: 2 * g * x),
}

WITHIN = [
    ("wave", written_by("tan", torch.tan), lambda g, x, y: g * (1 + y**2)),
    ("wave", written_by("sinh", torch.sinh), lambda g, x, y: g * call("cosh", torch.cosh, x)),
    ("wave", written_by("cosh", torch.cosh), lambda g, x, y: g * call("sinh", torch.sinh, x)),
    ("small", written_by("asin", torch.asin), lambda g, x, y: g / sqrt(1 - x**2)),
    ("wave", written_by("acos", torch.acos), lambda g, x, y: -g / sqrt(1 - x**2)),
    ("small", written_by("atanh", torch.atanh), lambda g, x, y: g / (1 - x**2)),
    ("wave", written_by("arctanh", torch.atanh), lambda g, x, y: g / (1 - x**2)),
    ("wave", written_by("exp2", torch.exp2), lambda g, x, y: g * y * log(TWO)),
    ("wave", written_by("erfinv", torch.erfinv), lambda g, x, y: g * sqrt(PI) / 2 * exp(y**2)),
    ("wave", written_by("erfcx", torch.special.erfcx), lambda g, x, y: g * (2 * x * y - 2 / sqrt(PI))),
    ("unit", written_by("logit", torch.logit), lambda g, x, y: g / (x * (1 - x))),
    ("unit", written_by("log", torch.log), lambda g, x, y: g / x),
    ("unit", written_by("entr", torch.special.entr), lambda g, x, y: -g * (log(x) + 1)),
    ("unit", written_by("ndtri", torch.special.ndtri), lambda g, x, y: g * sqrt(2 * PI) * exp(y**2 / 2)),
    ("unit", lambda x: call("log1p", torch.log1p, -x), lambda g, x, y: -g / (1 - x)),
    ("positive", lambda x: call("cbrt", lambda v: v ** (1 / 3), x), lambda g, x, y: g / (3 * y**2)),
    ("positive", written_by("rsqrt", torch.rsqrt), lambda g, x, y: -0.5 * g * y**3),
    ("positive", written_by("reciprocal", torch.reciprocal), lambda g, x, y: -g * y**2),
    ("positive", written_by("log2", torch.log2), lambda g, x, y: g / (x * log(TWO))),
    ("positive", written_by("log10", torch.log10), lambda g, x, y: g / (x * log(TEN))),
    ("positive", written_by("sqrt", torch.sqrt), lambda g, x, y: g / (2 * y)),
    # Not digamma: PyTorch has its derivative to ten digits alone.
    ("positive", written_by("lgamma", torch.lgamma), lambda g, x, y: g * call("digamma", torch.digamma, x)),
    ("positive", lambda x: x**0.7, lambda g, x, y: 0.7 * g * y / x),
    ("beyond", written_by("tanhshrink", F.tanhshrink), lambda g, x, y: g * tanh(x) ** 2),
    ("beyond", written_by("acosh", torch.acosh), lambda g, x, y: g / sqrt(x**2 - 1)),
]


def within_domain(p):
    x = value(p)
    domain, forward, rule = p.rng.choice(WITHIN)
    inner, slope = DOMAINS[domain]
    u = p.add(Node(p.fresh("uqr"), [x], p.dims_of(x), inner, lambda g, y, x: [slope(g, x, y)]))
    return p.add(Node(p.fresh("yhrefp"), [u], p.dims_of(x), forward, rule and (lambda g, y, x: [rule(g, x, y)])))


def unary(p):
    x = value(p)
    name = p.fresh("yhrefp")
    forward, rule = p.rng.choice(list(UNARY.values()))
    rule = rule and (lambda g, y, x, rule=rule: [rule(g, x, y)])
    if p.rng.random() < 0.15:
        function = f"f{len(p.functions) + 1}"
        body = forward(E("a", torch.zeros(1))).text
        p.functions.append(f"fn {function}(a) = {body}")
        return p.add(Node(name, [x], p.dims_of(x), lambda x: E(f"{function}({x.text})", forward(x).value), rule))
    return p.add(Node(name, [x], p.dims_of(x), forward, rule))


def fused(text, compute):
    """An idiom whose text is a composition of kinks, and whose number is that of PyTorch's own function for it."""
    return lambda x: E(text.format(x=x.text), compute(x.value), ADDED)


CHOOSING = {
    "relu": (relu, lambda g, x: g * step(x), away(0)),
    "relu-compared": (relu, lambda g, x: g * x.compare(">", 0), away(0)),
    "abs": (absolute, lambda g, x: g * sign(x), away(0)),
    "leaky": (lambda x: relu(x) - 0.1 * relu(-x), lambda g, x: g * step(x) + 0.1 * g * step(-x), away(0)),
    "maximum": (
        lambda x: E(f"maximum({x.text}, 0.5)", torch.maximum(x.value, torch.full_like(x.value, 0.5))),
        lambda g, x: g * (x.compare(">", 0.5) + x.compare(">=", 0.5)) / 2, away(0.5)),
    "leaky-chosen": (
        lambda x: chosen(x.compare(">", 0), x, 0.1 * x), lambda g, x: chosen(x.compare(">", 0), g, 0.1 * g), away(0)),
    "softplus": (
        fused("relu({x}) + log(1 + exp(-abs({x})))", lambda v: F.softplus(v, threshold=1e4)), lambda g, x: g * sigmoid(x), None),
    "elu": (fused("relu({x}) + exp(-relu(-{x})) - 1", F.elu), lambda g, x: g * exp(-relu(-x)), None),
    "softsign": (written_by("softsign", F.softsign), lambda g, x: g / (1 + absolute(x)) ** 2, None),
    "leaky-called": (
        written_by("leaky_relu", lambda v: F.leaky_relu(v, 0.2), ", 0.2"),
        lambda g, x: chosen(x.compare(">", 0), g, 0.2 * g), away(0)),
    "selu": (
        written_by("selu", F.selu),
        lambda g, x: chosen(x.compare(">", 0), SELU * g, SELU * 1.6732632423543772 * g * exp(x)), away(0)),
    "elu-steep": (
        written_by("elu", lambda v: F.elu(v, 1.5), ", alpha=1.5"),
        lambda g, x: chosen(x.compare(">", 0), g, 1.5 * g * exp(x)), away(0)),
    "relu6": (written_by("relu6", F.relu6), lambda g, x: g * x.compare(">", 0) * x.compare("<", 6), away(0, 6)),
    "hardtanh": (written_by("hardtanh", F.hardtanh), lambda g, x: g * absolute(x).compare("<", 1), away(-1, 1)),
    "hardsigmoid": (
        # That of PyTorch has its sixth in 32 bits.
        written_by("hardsigmoid", lambda v: F.relu6(v + 3) / 6), lambda g, x: g / 6 * absolute(x).compare("<", 3), away(-3, 3)),
    "softshrink": (written_by("softshrink", F.softshrink), lambda g, x: g * absolute(x).compare(">", 0.5), away(-0.5, 0.5)),
    "signed": (lambda x: x * sign(x), lambda g, x: g * sign(x), away(0)),
    "minimum": (
        lambda x: call("minimum", lambda v: torch.minimum(v, torch.full_like(v, -0.2)), x, keywords=", -0.2"),
        lambda g, x: g * (x.compare("<", -0.2) + x.compare("<=", -0.2)) / 2, away(-0.2)),
}
SELU = 1.0507009873554805


def choosing(p):
    x = value(p)
    forward, rule, gap = p.rng.choice(list(CHOOSING.values()))
    rule = lambda g, y, x, rule=rule: [rule(g, x)]
    exact = forward in (relu, absolute)
    return p.add(Node(p.fresh("rhye"), [x], p.dims_of(x), forward, rule, gap=gap, exact=exact, pieces=gap is None))


def steps(offset=0.0):
    """How far from the nearest whole number, moved by an offset."""
    return lambda x: (x - offset - (x - offset).round()).abs().flatten()


def multiples(of):
    return lambda x: of * steps()(x / of)


floor, ceil, trunc, rounded = (
    elementwise(name, f) for name, f in zip(
        ("floor", "ceil", "trunc", "round"), (torch.floor, torch.ceil, torch.trunc, torch.round)))

JUMPING = {
    "floor": (lambda x: x - floor(x), lambda g, x: g, steps()),
    "ceil": (lambda x: x * ceil(x), lambda g, x: g * ceil(x), steps()),
    "round": (lambda x: x * rounded(x), lambda g, x: g * rounded(x), steps(0.5)),
    "frac": (written_by("frac", torch.frac), lambda g, x: g, steps()),
    "trunc": (lambda x: x * trunc(x), lambda g, x: g * trunc(x), steps()),
    "remainder": (lambda x: call("remainder", lambda v: torch.remainder(v, 1.5), x, keywords=", 1.5"), lambda g, x: g, multiples(1.5)),
    "fmod": (lambda x: call("fmod", lambda v: torch.fmod(v, 0.7), x, keywords=", 0.7"), lambda g, x: g, multiples(0.7)),
    "step": (lambda x: step(x - 0.4) * x**2, lambda g, x: 2 * g * x * step(x - 0.4), away(0.4)),
    "hardshrink": (written_by("hardshrink", F.hardshrink), lambda g, x: g * absolute(x).compare(">", 0.5), away(-0.5, 0.5)),
    "threshold": (
        written_by("threshold", lambda v: F.threshold(v, 0.3, -1.0), ", 0.3, -1"), lambda g, x: g * x.compare(">", 0.3), away(0.3)),
    # At their bounds PyTorch's conventions are others than operation by operation.
    "clamp": (
        written_by("clamp", lambda v: v.clamp(-0.5, 1.0), ", -0.5, 1"),
        lambda g, x: g * x.compare(">", -0.5) * x.compare("<", 1), away(-0.5, 1)),
    "hardswish": (
        written_by("hardswish", F.hardswish),
        lambda g, x: g * chosen(absolute(x).compare("<", 3), x / 3 + 0.5, x.compare(">", 0)), away(-3, 3)),
    "between": (
        lambda x: chosen(both(x.compare(">", -0.6), x.compare("<", 0.8)), x**2, 0.5 * x),
        lambda g, x: chosen(both(x.compare(">", -0.6), x.compare("<", 0.8)), 2 * g * x, 0.5 * g), away(-0.6, 0.8)),
}


def both(a, b):
    return E(f"({a.text}) & ({b.text})", a.value * b.value)


def jumping(p):
    """What jumps, or bends in a way of which PyTorch has another convention: numbers away from there."""
    x = value(p)
    forward, rule, gap = p.rng.choice(list(JUMPING.values()))
    return p.add(Node(p.fresh("rhye"), [x], p.dims_of(x), forward, lambda g, y, x: [rule(g, x)], gap=gap, jumps=True))


def above(p):
    """Only what is above a bound: a mask that is compared for."""
    x = value(p)
    bound = p.rng.choice([0.3, -0.7])
    forward = lambda x: x * x.compare(">", bound)
    rule = lambda g, y, x: [g * x.compare(">", bound)]
    return p.add(Node(p.fresh("kmy"), [x], p.dims_of(x), forward, rule, gap=away(bound), jumps=True))


def branches(p):
    """One of two branches, the other of which is not finite where it is not taken."""
    x = value(p)
    logarithm = lambda x: E(f"log({x.text})", torch.log(torch.where(x.value > 0.5, x.value, 1.0)))
    forward = lambda x: chosen(x.compare(">", 0.5), logarithm(x), x**2)
    rule = lambda g, y, x: [g * chosen(x.compare(">", 0.5), 1 / x, 2 * x)]
    return p.add(Node(p.fresh("hy"), [x], p.dims_of(x), forward, rule, gap=away(0.5), jumps=True))


def power(a, b):
    return E(f"{a.within(ATOM)}^{b.within(ATOM)}", a.value**b.value, RAISED)


def power_slopes(g, y, a, b):
    base, exponent = 1 + a**2, tanh(b)
    return [2 * g * exponent * y / base * a, g * y * log(base) * (1 - exponent**2)]


BINARY = {
    "add": (lambda a, b: a + b, lambda g, y, a, b: [g, g]),
    "sub": (lambda a, b: a - b, lambda g, y, a, b: [g, -g]),
    "mul": (lambda a, b: a * b, lambda g, y, a, b: [g * b, g * a]),
    "div": (lambda a, b: a / (1 + b**2), lambda g, y, a, b: [g / (1 + b**2), -2 * g * y * b / (1 + b**2)]),
    "mul-functions": (lambda a, b: tanh(a) * b, lambda g, y, a, b: [g * b * (1 - tanh(a) ** 2), g * tanh(a)]),
    "add-called": (written_by("add", lambda a, b: torch.add(a, b, alpha=2), ", alpha=2"), lambda g, y, a, b: [g, 2 * g]),
    "lerp": (written_by("lerp", lambda a, b: torch.lerp(a, b, 0.3), ", 0.3"), lambda g, y, a, b: [0.7 * g, 0.3 * g]),
    "hypot": (
        lambda a, b: call("hypot", torch.hypot, a, 1 + b**2),
        lambda g, y, a, b: [g * a / y, 2 * g * (1 + b**2) / y * b]),
    "atan2": (
        lambda a, b: call("atan2", torch.atan2, a, 1 + b**2),
        lambda g, y, a, b: [g * (1 + b**2) / (a**2 + (1 + b**2) ** 2), -2 * g * a * b / (a**2 + (1 + b**2) ** 2)]),
    "xlogy": (
        lambda a, b: call("xlogy", torch.xlogy, a, 1 + b**2),
        lambda g, y, a, b: [g * log(1 + b**2), 2 * g * a * b / (1 + b**2)]),
    "logaddexp": (
        written_by("logaddexp", torch.logaddexp), lambda g, y, a, b: [g * sigmoid(a - b), g * sigmoid(b - a)]),
    "logaddexp2": (written_by("logaddexp2", torch.logaddexp2), None),
    "power-of-two": (lambda a, b: power(1 + a**2, tanh(b)), power_slopes),
    "addcmul": (
        lambda a, b: call("addcmul", lambda a, b: torch.addcmul(a, b, b, value=0.5), a, b, keywords=f", {b.text}, value=0.5"),
        lambda g, y, a, b: [g, g * b]),
    "maximum": (
        written_by("maximum", torch.maximum),
        lambda g, y, a, b: [g * (a.compare(">", b) + a.compare(">=", b)) / 2, g * (b.compare(">", a) + b.compare(">=", a)) / 2],
        apart),
    "minimum": (
        written_by("minimum", torch.minimum),
        lambda g, y, a, b: [g * (a.compare("<", b) + a.compare("<=", b)) / 2, g * (b.compare("<", a) + b.compare("<=", a)) / 2],
        apart),
    "chosen-by-both": (
        lambda a, b: chosen(a.compare(">", b), a**2, b + 0.0 * a),
        lambda g, y, a, b: [chosen(a.compare(">", b), 2 * g * a, 0.0 * g), chosen(a.compare(">", b), 0.0 * g, g)],
        apart, True),
    "remainder": (
        lambda a, b: call("remainder", torch.remainder, a, 1 + b**2),
        lambda g, y, a, b: [g, -2 * g * b * floor(a / (1 + b**2))],
        lambda a, b: steps()(a / (1 + b**2)), True),
}


def binary_op(p):
    a = value(p)
    forward, slopes, *choice = p.rng.choice(list(BINARY.values()))
    gap, jumps = [*choice, None, False][:1] + [len(choice) > 1]
    if p.rng.random() < 0.5:
        b = value(p, fits=lambda dims: stretched(p.dims_of(a), dims) is not None)
    else:
        dims = list(p.dims_of(a))
        b = fresh_input(p, [ONE if p.rng.random() < 0.2 else dim for dim in dims[p.rng.randint(0, len(dims)):]])
    if p.rng.random() < 0.5:
        a, b = b, a
    dims = stretched(p.dims_of(a), p.dims_of(b))

    def rule(g, y, a_, b_):
        to_a, to_b = slopes(g, y, a_, b_)
        return [summed_to(to_a, dims, p.dims_of(a)), summed_to(to_b, dims, p.dims_of(b))]

    return p.add(Node(p.fresh("ysz"), [a, b], dims, forward, slopes and rule, gap=gap, jumps=jumps))
