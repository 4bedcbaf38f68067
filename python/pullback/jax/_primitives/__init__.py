"""What the primitives of JAX are in the language.

One function for each, by JAX's name: it is given the tracer, the numbers of the results, the parameters and the operands, and returns
an expression for each result. What moves elements in ways that have no short name is a ``gather`` at positions, which are found by
moving the numbers 0, 1, 2 … in the same way.
"""

from . import elementwise, inside, linear_algebra, products, reductions, selection, shapes  # noqa: F401
from .rules import TABLE

__all__ = ["TABLE"]
