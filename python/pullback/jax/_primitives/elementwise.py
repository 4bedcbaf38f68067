"""Element by element: arithmetic, comparisons and functions."""

from __future__ import annotations

import numpy as np

from ..._program import Expression, Value, call, infix, negative, power
from .._tracing import is_float
from .rules import TABLE, Shaped, broadcast, elementwise, rule

for _name, _function in {
    **{name: name for name in "abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc exp exp2 expm1 floor log log1p rsqrt sign sin "
       "sinh sqrt tan tanh cbrt lgamma digamma".split()},
    "logistic": "sigmoid", "round": "round",
}.items():  # fmt: skip
    TABLE[_name] = elementwise(lambda t, r, p, x, _f=_function, **_: call(_f, x))
for _name, _sign in {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lt_to": "<",
    "le": "<=",
    "le_to": "<=",
    "gt": ">",
    "ge": ">=",
}.items():
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
        return (
            cases[int(chosen.reshape(-1)[0])]
            if chosen.ndim == 0
            else Shaped(call("where", which.symbol, cases[1].symbol, cases[0].symbol), shape)
        )
    return Shaped(call("where", which.symbol, cases[1].symbol, cases[0].symbol), shape)
