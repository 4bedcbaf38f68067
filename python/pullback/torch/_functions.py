"""Whether something happens inside of the forward pass of a ``torch.autograd.Function``, which runs without grad and cuts nothing off."""

from __future__ import annotations

import sys

import torch


def function_around() -> str | None:
    """The name of the function in whose forward pass this is."""
    forward = None
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "forward":
            forward = _forwards() if forward is None else forward
            if frame.f_code in forward:
                return forward[frame.f_code]
        frame = frame.f_back
    return None


def _forwards() -> dict:
    """The functions that are there, by the code of their forward passes."""
    found, stack = {}, [torch.autograd.Function]
    while stack:
        for cls in stack.pop().__subclasses__():
            code = getattr(cls.forward, "__code__", None)
            if code is not None:
                found.setdefault(code, cls.__name__)
            stack.append(cls)
    return found
