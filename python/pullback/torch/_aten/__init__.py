"""What the operations of ATen are in the language.

One function for each, by ATen's name: it is given the tracer, the tensors that the operation returned, and the operation's own
arguments, and returns an expression for each of these tensors. What returns integers that were chosen by the numbers (`topk`,
`argmax`) returns no expression for them: they are held as they are.
"""

from . import elementwise, layers, linear_algebra, making, products, reductions, selection, shapes  # noqa: F401
from .rules import CONSTANT, RANDOM, TABLE, is_held

__all__ = ["CONSTANT", "RANDOM", "TABLE", "is_held"]

for _name in (
    "clone alias _to_copy contiguous view _unsafe_view reshape _reshape_alias flatten view_copy unsqueeze squeeze permute t transpose select "
    "slice split split_with_sizes unbind cat stack flip roll index index_select repeat lift_fresh lift_fresh_copy"
).split():
    TABLE[_name].moves = True
