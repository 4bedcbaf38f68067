"""A function as a program: text of the language with the names of its inputs and outputs."""

from __future__ import annotations

from ._program import Place, Program


class Traced:
    """A traced function. ``str`` is the program; whatever takes a source takes it.

    ``outputs`` are the names of what the function returns, in order, ``None`` for integers.
    """

    def __init__(self, program: Program, text: str, *, name, outputs, arguments, captured, by_value):
        self._program, self._text = program, text
        self.name, self.outputs = name, outputs
        self.arguments, self.captured = arguments, captured
        #: Where the trace depended on the numbers: with others another program would have come of it.
        self.by_value = by_value

    def text(self, places: bool = True) -> str:
        """The program; with ``places`` each line says from which line of the function's code it comes."""
        self._program.is_spelt_out = False
        return self._program.text(places)

    def spelt_out(self) -> str:
        """The program with a statement for each operation; inputs and outputs are called what they are called in the other."""
        self._program.is_spelt_out = True
        return self._program.text()

    def place(self, line: int) -> Place | None:
        """From which line of the function's code a line of the program comes, in the form in which it was asked for last."""
        return self._program.place_of_line(line)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self._text}\n```\n"
