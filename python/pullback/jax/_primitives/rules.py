"""What a rule is, and what several of them are made of."""

from __future__ import annotations

import math

import numpy as np

from ..._program import Expression, Value, call, infix

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


#: Reductions by their values: the function, the operand and the axes, so that axes can be kept. The value is kept alive beside.
KEPT: dict = {}


def shape_text(shape) -> str:
    return "[" + ", ".join(str(int(size)) for size in shape) + "]"


def is_list(expression: Expression) -> bool:
    return isinstance(expression.parts[0], str) and expression.parts[0].startswith("[")


def put(t, x, update, at):
    size, count = math.prod(x.shape), math.prod(update.shape)
    hit = infix(call("scatter_add", f"ones({count})", at, str(size)), ">", 0)
    new = call("scatter_add", call("reshape", t.full(update), f"[{count}]"), at, str(size))
    return call("reshape", call("where", hit, new, call("reshape", t.full(x), f"[{size}]")), shape_text(x.shape))
