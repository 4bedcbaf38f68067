"""The shape of a tensor, and the node that it was computed by: what PyTorch calls ``torch.Size`` and ``grad_fn``."""

from __future__ import annotations

import math


class Size(tuple):
    """The size of each axis.

    >>> Size((2, 3)), Size((2, 3)).numel(), Size((2, 3))[1:]
    (torch.Size([2, 3]), 6, torch.Size([3]))
    """

    __slots__ = ()

    def numel(self) -> int:
        """How many elements there are."""
        return math.prod(self)

    def __getitem__(self, at):
        taken = super().__getitem__(at)
        return Size(taken) if isinstance(at, slice) else taken

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


class Node:
    """What a tensor was computed by.

    >>> Node("MulBackward0").name()
    'MulBackward0'
    """

    __slots__ = ("_name",)

    def __init__(self, name: str):
        self._name = name

    def name(self) -> str:
        """PyTorch's name of it."""
        return self._name

    def __repr__(self) -> str:
        return f"<{self._name}>"
