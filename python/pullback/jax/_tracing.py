"""A function of JAX as a program of the ``.grad`` language.

JAX makes a jaxpr of it, and that is gone through operation by operation, each of which is done on the arguments' numbers and written
down. So a `scan` is as many steps as it has, and a `cond` or a `while` does what it does on these numbers. What an operation is in the
language is stated in ``_primitives/``.
"""

from __future__ import annotations

import numpy as np
from jax.extend.core import Literal

from .. import _frames
from .._program import ATOM, Expression, Place, Program, Value, call, distribution, infix, number, unknown_operation

#: What to do about an operation that is not known.
HOW = (
    "give a reference that is written without it (`reference=`), or check the parts before and behind it by themselves"
)

#: More steps of loops are not written down.
_MOST_STEPS = 2000


class Array:
    """An array while a jaxpr is gone through: its value in the program, and its numbers.

    ``symbol`` may have axes of size 1 where the array is stretched, or be a number: element by element that is all the same.
    """

    __slots__ = ("symbol", "shape", "numbers", "is_fixed")

    def __init__(self, symbol, shape, numbers, is_fixed=False):
        self.symbol, self.shape, self.numbers = symbol, tuple(shape), numbers
        #: Are these numbers the same whatever the arguments are?
        self.is_fixed = is_fixed


class Tracer:
    """Goes through jaxprs and writes the program down."""

    def __init__(self):
        from ._primitives import TABLE

        self.table = TABLE
        self.program = Program()
        self.by_value: list[str] = []
        self.captured: list[tuple[Value, np.ndarray]] = []
        self.place: Place | None = None
        #: The operation that is written down.
        self.current = ""
        self._last: dict[tuple, Value] = {}
        self._steps = 0

    def argument(self, name: str, array, differentiable: bool) -> Array:
        """Makes an input of an argument. One that is not differentiated is held."""
        numbers = np.asarray(array)
        value = self.program.input(name, numbers.shape, distribution(plain(numbers)))
        symbol = value
        if is_float(numbers) and not differentiable:
            symbol = self.program.value(call("stop_gradient", value), numbers.shape, hint=f"{name}_held")
        return Array(symbol, numbers.shape, array)

    def held(self, numbers, hint: str) -> Value:
        """Numbers that are taken as they are."""
        found = np.asarray(numbers)
        value = self.program.input(hint, found.shape, distribution(plain(found)), self.place or Place("", 0))
        value.is_held = True
        self.captured.append((value, found))
        return self.program.value(call("stop_gradient", value), found.shape) if is_float(found) else value

    def full(self, array: Array):
        """The value in its whole shape."""
        symbol = array.symbol
        if isinstance(symbol, Value) and symbol.shape == array.shape:
            return symbol
        if not array.shape:
            return symbol
        ones = call("ones", *[str(size) for size in array.shape])
        if isinstance(symbol, Expression):
            text = "".join(part for part in symbol.parts if isinstance(part, str))
            if text == "1":
                return self.program.value(ones, array.shape)
            if text == "0":
                return self.program.value(call("zeros", *[str(size) for size in array.shape]), array.shape)
            if text in ("-inf", "inf", "nan"):
                return self.program.value(call("where", ones, symbol, 0), array.shape)
        return self.program.value(infix(symbol, "*", ones), array.shape)

    def run(self, jaxpr, consts, arguments: list[Array]) -> list[Array]:
        """Goes through a jaxpr with these arguments."""
        known: dict = {}

        def read(atom) -> Array:
            return constant(atom.val) if isinstance(atom, Literal) else known[atom]

        for variable, const in zip(jaxpr.constvars, consts):
            known[variable] = const if isinstance(const, Array) else self._const(const)
        for variable, argument in zip(jaxpr.invars, arguments):
            known[variable] = argument
        outer = self.place
        for equation in jaxpr.eqns:
            place = _place(equation)
            self.place = place or outer
            results = self._done(equation, [read(atom) for atom in equation.invars])
            for variable, result in zip(equation.outvars, results):
                known[variable] = result
            if place is not None and place.function != "<lambda>" and results and isinstance(results[-1].symbol, Value):
                self._last[(place.file, place.line)] = results[-1].symbol
        self.place = outer
        return [read(atom) for atom in jaxpr.outvars]

    def inner(self, closed, arguments: list[Array]) -> list[Array]:
        """Goes through a jaxpr inside of an operation."""
        jaxpr = getattr(closed, "jaxpr", closed)
        return self.run(jaxpr, getattr(closed, "consts", ()), arguments)

    def step(self) -> None:
        """One more step of a loop is written down."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise unknown_operation(f"a loop of more than {_MOST_STEPS} steps", self.place, HOW)

    def finish(self) -> None:
        """Names what a line did last after what the line assigns to."""
        for (file, line), value in self._last.items():
            name = _frames.assigned_at(file, line)
            if value.hint is None and value.kind == "value" and name is not None:
                value.hint = name

    def _const(self, const) -> Array:
        found = np.asarray(const)
        if found.size <= 1 << 12 and not is_float(found):
            return (
                Array(self.program.value(written(found), found.shape), found.shape, const, True)
                if found.size
                else constant(const)
            )
        if found.ndim == 0:
            return constant(const)
        value = self.program.input("constant", found.shape, distribution(plain(found)), self.place or Place("", 0))
        self.captured.append((value, found))
        value.is_held = True
        return Array(self.program.value(call("stop_gradient", value), found.shape), found.shape, const)

    def _done(self, equation, operands: list[Array]) -> list[Array]:
        name = equation.primitive.name
        rule = self.table.get(name)
        if rule is None:
            raise unknown_operation(name, self.place, HOW)
        if getattr(rule, "goes_inside", False):
            return rule(self, equation.params, operands)
        self.current = name
        numbers = equation.primitive.bind(*[one.numbers for one in operands], **equation.params)
        results = list(numbers) if equation.primitive.multiple_results else [numbers]
        try:
            found = rule(self, results, equation.params, *operands)
        except (NotImplementedError, LookupError, TypeError, ArithmeticError):
            raise unknown_operation(f"{name} as it is called here", self.place, HOW) from None
        found = found if isinstance(found, list) else [found]
        is_fixed = all(one.is_fixed for one in operands)
        return [self._made(expression, result, is_fixed) for expression, result in zip(found, results)]

    def _made(self, expression, numbers, is_fixed: bool) -> Array:
        shape = np.shape(numbers)
        if isinstance(expression, Array):
            return Array(expression.symbol, shape, numbers, is_fixed)
        if isinstance(expression, Value):
            return Array(expression, shape, numbers, is_fixed)
        if len(expression.parts) == 1 and isinstance(expression.parts[0], str) and "(" not in expression.parts[0]:
            return Array(expression, shape, numbers, is_fixed)
        shape_of = getattr(expression, "shape", shape)
        value = self.program.value(expression, shape_of, place=self.place)
        operands = [part[0] for part in value.parts if not isinstance(part, str)]
        value.is_index = getattr(expression, "moves", False) and all(one.is_index for one in operands)
        return Array(value, shape, numbers, is_fixed)


def constant(number_or_array) -> Array:
    """A literal of a jaxpr."""
    found = np.asarray(number_or_array)
    if found.ndim == 0:
        item = found.item() if found.dtype.name != "bfloat16" else float(found)
        return Array(number(item), (), number_or_array, True)
    return Array(written(found), found.shape, number_or_array, True)


def written(array) -> Expression:
    """An array that is written out."""
    return Expression(
        [str(plain(np.asarray(array)).tolist()).replace(" ", "").replace("True", "1").replace("False", "0")], ATOM
    )


def plain(array: np.ndarray) -> np.ndarray:
    """An array in a type that NumPy has."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def is_float(array: np.ndarray) -> bool:
    """Are these numbers that may have a gradient?"""
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _place(equation) -> Place | None:
    from jax._src import source_info_util

    traceback = getattr(equation.source_info, "traceback", None)
    if traceback is None:
        return None
    for frame in source_info_util.user_frames(traceback):
        if not _frames.is_library(frame.file_name):
            return Place(frame.file_name, frame.start_line, frame.function_name)
    return None
