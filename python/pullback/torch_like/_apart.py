"""Functions that PyTorch has otherwise than the language: with other results, or with their arguments in another order."""

from __future__ import annotations

from typing import NamedTuple

from .._pullback import Tensor, allclose, call

__all__ = [
    "allclose", "cross_entropy", "dropout", "embedding", "eq", "equal", "ge", "gt", "is_tensor", "isclose", "le", "lt", "max", "median",
    "min", "ne", "nll_loss", "numel", "result_of",
]  # fmt: skip


class result_of(NamedTuple):
    """Values and where they stand: of `max`, `min` and `median` along an axis."""

    values: Tensor
    indices: Tensor


def is_tensor(it) -> bool:
    """Is it a tensor?"""
    return isinstance(it, Tensor)


def numel(input: Tensor) -> int:
    """How many elements a tensor has."""
    return input.numel()


def _extreme(name: str, both: str, places: str):
    def extreme(input, dim=None, keepdim=False, *, other=None):
        if isinstance(dim, Tensor) or other is not None:
            return call("torch", both, (input, dim if other is None else other))
        if dim is None:
            return call("torch", name, (input,))
        values = call("torch", name, (input, dim), {"keepdim": keepdim})
        indices = call("torch", places, (input,), {"dim": dim})
        return result_of(values, indices.unsqueeze(dim) if keepdim else indices)

    extreme.__name__ = extreme.__qualname__ = name
    extreme.__doc__ = f"The {name}imum: of all, along an axis with its places, or of two tensors."
    return extreme


max = _extreme("max", "maximum", "argmax")
min = _extreme("min", "minimum", "argmin")


def median(input, dim=None, keepdim=False):
    """The lower median: of all, or along an axis with its places.

    >>> from pullback.torch_like import tensor
    >>> median(tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    if dim is None:
        return call("torch", "median", (input,), {"interpolation": "lower"})
    values = call("torch", "median", (input, dim), {"keepdim": keepdim, "interpolation": "lower"})
    order = call("torch", "argsort", (input,), {"dim": dim})
    middle = call("torch", "select", (order, dim, (input.shape[dim] - 1) // 2))
    return result_of(values, middle.unsqueeze(dim) if keepdim else middle)


def _classes(input: Tensor) -> int:
    return 1 if input.dim() > 1 else 0


def cross_entropy(input, target, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """The cross-entropy of logits; classes are the second axis, or the only one."""
    said = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
    return call("F", "cross_entropy", (input, target), {"weight": weight, "axis": _classes(input), **said})


def nll_loss(input, target, weight=None, *, ignore_index=-100, reduction="mean"):
    """What `cross_entropy` is of logarithms of probabilities."""
    said = {"ignore_index": ignore_index, "reduction": reduction}
    return call("F", "nll_loss", (input, target), {"weight": weight, "axis": _classes(input), **said})


def embedding(input, weight):
    """Rows of `weight`."""
    return call("F", "embedding", (weight, input))


def dropout(input, p=0.5, training=True, inplace=False):
    """What is not drawn: without training, or with p = 0, the tensor itself."""
    if not training or p == 0:
        return input
    raise NotImplementedError("dropout draws as no other library does: multiply by a mask that you draw, or say training=False")


def equal(input: Tensor, other: Tensor) -> bool:
    """Have two tensors the same sizes and the same elements?"""
    return input.shape == other.shape and bool((input == other).all())


def isclose(input, other, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Which elements are as near to one another as `allclose` wants them?

    >>> from pullback.torch_like import tensor
    >>> isclose(tensor([1.0, 2.0]), tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    near = (input - other).abs() <= atol + rtol * other.abs()
    near = near | (input == other)
    return near | ((input != input) & (other != other)) if equal_nan else near


def eq(input, other):
    """Which elements are equal?"""
    return input == other


def ne(input, other):
    """Which elements differ?"""
    return input != other


def lt(input, other):
    """Which elements are smaller?"""
    return input < other


def le(input, other):
    """Which elements are not larger?"""
    return input <= other


def gt(input, other):
    """Which elements are larger?"""
    return input > other


def ge(input, other):
    """Which elements are not smaller?"""
    return input >= other
