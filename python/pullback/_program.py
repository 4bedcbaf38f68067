"""A program of the ``.grad`` language while a function is traced.

A tracer adds inputs and values; the text is written at the end, when it is known what is used how often and what the user calls it.
A value that has no name and is used once is written where it is used, so that the text reads as the user's code does. Whatever the
text means is Pullback's affair: nothing is computed here.

>>> program = Program()
>>> x = program.input("x", (3,), "randn")
>>> y = program.value(infix(x, "*", sigmoid := program.value(call("sigmoid", x), (3,))), (3,), hint="y")
>>> program.output(y)
>>> print(program.text())
x: [3] ~ randn
y = x * sigmoid(x)
"""

from __future__ import annotations

import keyword
import math
import os
import re

from ._pullback import PullbackError

#: How tightly an expression holds together, from the loosest operator to a name.
COMPARED, OR, AND, SUM, PRODUCT, SIGN, POWER, ATOM = range(8)

_OF = {
    "<": COMPARED, "<=": COMPARED, ">": COMPARED, ">=": COMPARED, "==": COMPARED, "!=": COMPARED,
    "|": OR, "&": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT,
}  # fmt: skip

#: Longer expressions are cut, at values that are used in them.
_LONGEST = 90


class Place:
    """A line of the user's: ``file:line``, and the function in which it stands."""

    __slots__ = ("file", "line", "function")

    def __init__(self, file: str, line: int, function: str = ""):
        self.file, self.line, self.function = file, line, function

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


class Value:
    """An array of the traced function: an input, or an expression of others."""

    __slots__ = (
        "parts",
        "holds",
        "shape",
        "hint",
        "place",
        "uses",
        "name",
        "kind",
        "source",
        "is_index",
        "is_held",
        "results",
    )

    def __init__(self, parts, holds, shape, hint=None, place=None):
        self.parts, self.holds, self.shape = parts, holds, tuple(int(size) for size in shape)
        self.hint, self.place = hint, place
        self.uses, self.name, self.kind, self.source = 0, None, "value", None
        #: Does the language know that these are integers? What is computed of integers are numbers there.
        self.is_index = False
        #: An input that is taken as it was found: what an operation chose, or what was drawn.
        self.is_held = False


class Expression:
    """Text with values in it: each part is a string, or a value with how tightly it has to hold together there."""

    __slots__ = ("parts", "holds")

    def __init__(self, parts, holds=ATOM):
        self.parts, self.holds = parts, holds


def number(x) -> Expression:
    """A number as the language writes it."""
    if isinstance(x, bool):
        return Expression(["1" if x else "0"])
    if isinstance(x, int):
        return Expression([str(x)], ATOM if x >= 0 else SIGN)
    x = float(x)
    if math.isnan(x):
        return Expression(["nan"])
    if math.isinf(x):
        return Expression(["inf"]) if x > 0 else Expression(["-inf"], SIGN)
    text = repr(int(x)) if x.is_integer() and abs(x) < 1e15 else repr(x)
    return Expression([text], ATOM if math.copysign(1.0, x) > 0 else SIGN)


def _part(operand, holds):
    """An operand inside of an expression, in brackets where it would fall apart."""
    if isinstance(operand, Value):
        return [(operand, holds)]
    if not isinstance(operand, Expression):
        operand = number(operand)
    return operand.parts if operand.holds >= holds else ["(", *operand.parts, ")"]


def infix(a, operator: str, b) -> Expression:
    """``a * b``. What has the same strength on the right is put in brackets, and so is a comparison in one."""
    holds = _OF[operator]
    left = holds + 1 if holds == COMPARED else holds
    return Expression([*_part(a, left), f" {operator} ", *_part(b, holds + 1)], holds)


def negative(a) -> Expression:
    """``-a``."""
    return Expression(["-", *_part(a, POWER)], SIGN)


def power(a, b) -> Expression:
    """``a^b``."""
    return Expression([*_part(a, ATOM), "^", *_part(b, ATOM)], POWER)


def call(function: str, *operands, **keywords) -> Expression:
    """``function(a, b, axis=1)``. A list of operands is a list; what is no operand is written as it is."""
    parts: list = [f"{function}("]
    for at, operand in enumerate(operands):
        parts += [", "] if at else []
        if isinstance(operand, (list, tuple)):
            parts.append("[")
            for k, one in enumerate(operand):
                parts += ([", "] if k else []) + _part(one, COMPARED)
            parts.append("]")
        elif isinstance(operand, str):
            parts.append(operand)
        else:
            parts += _part(operand, COMPARED)
    for at, (key, value) in enumerate(keywords.items()):
        parts += [", "] if at or operands else []
        parts.append(f"{key}={_word(value)}" if not isinstance(value, Value) else f"{key}=")
        parts += [(value, COMPARED)] if isinstance(value, Value) else []
    return Expression([*parts, ")"])


def transposed(a) -> Expression:
    """``a.T``."""
    return Expression([*_part(a, ATOM), ".T"])


def indexed(a, text: str) -> Expression:
    """``a[1:, ..., 0]``."""
    return Expression([*_part(a, ATOM), f"[{text}]"])


def indexed_by(a, indices) -> Expression:
    """``a[i, :, j]``: each index is a value, or text."""
    parts = [*_part(a, ATOM), "["]
    for at, index in enumerate(indices):
        parts += [", "] if at else []
        parts += [index] if isinstance(index, str) else _part(index, COMPARED)
    return Expression([*parts, "]"])


def positions(array) -> Expression:
    """Integers that are the same whatever the data: written out."""
    return Expression([str(array.tolist()).replace(" ", "")])


def _word(value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_word(one) for one in value) + "]"
    return "".join(number(value).parts)


class Program:
    """Inputs and values in the order in which they were met, and the outputs."""

    def __init__(self):
        self.values: list[Value] = []
        self.outputs: list[Value] = []
        #: Said in front of the text: each a line.
        self.remarks: list[str] = []
        self.dtype = "f64"
        #: Is every operation a statement? Causes of mistakes are found among values that have names.
        self.is_spelt_out = False
        self._lines: list[Value | None] | None = None

    def input(self, hint, shape, source, place=None) -> Value:
        """An input: ``source`` is what stands behind its ``~``."""
        value = Value([], ATOM, shape, hint, place)
        value.kind, value.source = "input", source
        value.is_index = source.startswith("randint")
        self.values.append(value)
        return value

    def value(self, expression, shape, hint=None, place=None) -> Value:
        """A value that an expression gives."""
        if isinstance(expression, Value):
            expression = Expression([(expression, COMPARED)], ATOM)
        value = Value(expression.parts, expression.holds, shape, hint, place)
        self.values.append(value)
        for part in value.parts:
            if not isinstance(part, str):
                part[0].uses += 1
        return value

    def several(self, expression, shapes, place=None) -> list[Value]:
        """The values of an operation with several results: `w, v = eigh(a)`."""
        joint = self.value(expression, (), place=place)
        joint.kind, joint.results = "joint", []
        for shape in shapes:
            result = self.value(Expression([(joint, COMPARED)]), shape, place=place)
            result.kind = "result"
            joint.results.append(result)
        return list(joint.results)

    def output(self, value: Value) -> None:
        """Marks a value as one that the function returns."""
        self.outputs.append(value)

    def inputs(self) -> list[Value]:
        return [value for value in self.values if value.kind == "input"]

    def held(self) -> list[str]:
        """The inputs of the text that are taken as they were found."""
        return [value.name for value in self.values if value.is_held and value.name is not None]

    def text(self, places: bool = True) -> str:
        """The text; with ``places`` each line says from which line of the user's it comes."""
        kept = self._reached()
        self._name(kept)
        lines: list[str] = [f"# {remark}" for remark in self.remarks]
        self._lines = [None] * len(lines)
        if self.dtype != "f64":
            lines.append(f"dtype {self.dtype}")
            self._lines.append(None)
        for value in kept:
            if value.kind == "input":
                shape = ", ".join(map(str, value.shape))
                lines.append(f"{value.name}: [{shape}] ~ {value.source}")
            elif value.kind == "joint":
                names = ", ".join(result.name or "_" for result in value.results)
                lines.append(f"{names} = {self._written(value)}")
            elif value.kind == "value" and value.name is not None:
                lines.append(f"{value.name} = {self._written(value)}")
            else:
                continue
            self._lines.append(value)
        if places:
            width = min(max((len(line) for line in lines), default=0), 72)
            for at, value in enumerate(self._lines):
                if value is not None and value.place is not None and value.kind != "input":
                    lines[at] = f"{lines[at]:<{width}}  # {value.place}"
        return "\n".join(lines)

    def place_of_line(self, line: int) -> Place | None:
        """From which line of the user's a line of the text comes; lines are counted from 1."""
        lines = self._lines or []
        value = lines[line - 1] if 0 < line <= len(lines) else None
        return value.place if value is not None else None

    def _reached(self) -> list[Value]:
        """What the outputs are made of; inputs that belong to the signature stay."""
        seen: set[int] = set()
        stack = list(self.outputs) or list(self.values[-1:])
        while stack:
            value = stack.pop()
            if id(value) not in seen:
                seen.add(id(value))
                stack += [part[0] for part in value.parts if not isinstance(part, str)]
        kept = [v for v in self.values if id(v) in seen or (v.kind == "input" and v.place is None)]
        for value in kept:
            value.uses = 0
        for value in kept:
            for part in value.parts:
                if not isinstance(part, str):
                    part[0].uses += 1
        return kept

    def _name(self, kept: list[Value]) -> None:
        for value in kept:
            value.name = None
        # Names that are asked for come first: what has none gets one that is left.
        taken: set[str] = set()
        needs = [value for value in kept if self._needs_name(value)]
        for value in sorted(needs, key=lambda value: (value.kind != "input", value.hint is None)):
            value.name = _free(_legal(value.hint or _stem(value)), taken, numbered=value.hint is None)
            taken.add(value.name)
        lengths: dict[int, int] = {}
        for value in kept:
            length = sum(len(part) if isinstance(part, str) else lengths[id(part[0])] for part in value.parts)
            if value.name is None and value.kind == "value" and length > _LONGEST:
                value.name = _free(_stem(value), taken, numbered=True)
                taken.add(value.name)
            lengths[id(value)] = len(value.name) if value.name is not None else length

    def _needs_name(self, value: Value) -> bool:
        if value.kind == "joint":
            return False
        if value.kind == "value" and _is_number(value) and value not in self.outputs:
            # A number is no input that somebody might give.
            return False
        if value.kind in ("input", "result") or value.hint is not None or value.uses != 1 or value in self.outputs:
            return True
        return self.is_spelt_out and _computes(value)

    def _written(self, value: Value) -> str:
        """What stands right of its ``=``: without recursion, since programs may be deep."""
        written: list[str] = []
        stack: list = list(reversed(value.parts))
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                written.append(part)
                continue
            operand, holds = part
            if operand.name is not None:
                written.append(operand.name)
            elif operand.holds >= holds:
                stack += reversed(operand.parts)
            else:
                stack += [")", *reversed(operand.parts), "("]
        return "".join(written)


_RESERVED = {
    "seed", "dtype", "fn", "scan", "shape", "none", "true", "false", "pi", "inf", "nan", "delta",
    "torch", "np", "numpy", "jnp", "jax", "math", "F", "nn", "tf", "optax", "f32", "f64", "T",
}  # fmt: skip


def _legal(name: str) -> str:
    """A name of the language that is as near to the user's as can be."""
    name = re.sub(r"\W", "_", name).strip("_") or "t"
    if name[0].isdigit():
        name = f"t{name}"
    if name in _RESERVED or keyword.iskeyword(name):
        name += "_"
    # `dy` beside `y` would make two things of `dL/dy`.
    return f"{name}_" if len(name) > 1 and name[0] in "d∂" and len(name) < 4 else name


#: What moves elements and computes nothing.
_MOVES = {
    "reshape(", "transpose(", "permute(", "unsqueeze(", "squeeze(", "concat(", "stack(", "flip(", "roll(", "gather(", "stop_gradient(",
    "eye(", "ones(", "zeros(", "arange(",
}  # fmt: skip


def _computes(value: Value) -> bool:
    """Is this the result of arithmetic on other values?"""
    first = value.parts[0] if value.parts else ""
    has_values = any(not isinstance(part, str) for part in value.parts)
    return (
        has_values
        and value.holds not in (COMPARED, OR, AND, ATOM)
        or (isinstance(first, str) and has_values and first not in _MOVES)
    )


def _stem(value: Value) -> str:
    """What a value without a name is called: after the function that it is the result of."""
    first = value.parts[0] if value.parts else ""
    function = first[:-1] if isinstance(first, str) and first.endswith("(") else ""
    return function if function.isidentifier() else "t"


def _is_number(value: Value) -> bool:
    return len(value.parts) == 1 and isinstance(value.parts[0], str) and "(" not in value.parts[0]


def _free(name: str, taken: set[str], numbered: bool = False) -> str:
    if not numbered and name not in taken:
        return name
    at = 1 if numbered else 2
    while f"{name}{at}" in taken or f"{name}_{at}" in taken:
        at += 1
    return f"{name}{at}" if numbered else f"{name}_{at}"


def is_given(value: Value) -> bool:
    """Is this made of inputs that are integers, so that nothing computes it?"""
    stack, seen = [value], set()
    while stack:
        value = stack.pop()
        if value.kind in ("joint", "result"):
            return False
        if id(value) not in seen:
            seen.add(id(value))
            stack += [part[0] for part in value.parts if not isinstance(part, str)]
    return True


def distribution(array) -> str:
    """What an input is drawn from where other data is needed: numbers of the kind that were given."""
    import numpy as np

    array = np.asarray(array)
    if array.dtype == bool:
        return "randint(0, 2)"
    if array.dtype.kind in "iu":
        if array.size == 0:
            return "randint(0, 1)"
        low, high = int(array.min()), int(array.max())
        # A label that stands for none, -100, is no index on other data.
        return f"randint({0 if high >= 0 else low}, {high + 1})"
    array = array.astype(np.float64)
    finite = array[np.isfinite(array)]
    if finite.size > 1 and finite.min() > 0:
        return f"uniform({_word(float(finite.min()))}, {_word(float(max(finite.max(), 1.5 * finite.min())))})"
    return "randn"


def unknown_operation(name: str, place: Place | None, how: str) -> PullbackError:
    """An operation that has no counterpart in the language."""
    where = f" ({place})" if place is not None else ""
    return PullbackError(
        f"error: `{name}`{where} can't be traced: the language has no operation for it\n  = help: {how}"
    )
