"""Tensors that are made: of numbers, by a rule, or drawn as PyTorch draws them on a CPU."""

from __future__ import annotations

import math
import operator

from .. import _pullback
from .._pullback import Tensor

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "logspace", "manual_seed",
    "normal", "ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


class Generator:
    """What `manual_seed` returns: there is one generator, the default one."""

    def manual_seed(self, seed: int) -> Generator:
        """Seeds it."""
        _pullback.manual_seed(int(seed))
        return self


def manual_seed(seed: int) -> Generator:
    """Seeds what is drawn from here on.

    >>> from pullback import torch_like as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(2, 3)
    tensor([[ 1.5410, -0.2934, -2.1788],
            [ 0.5684, -1.0845, -1.3986]])
    """
    return Generator().manual_seed(seed)


def _asked(made: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad and not made.dtype.is_floating_point:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return made.requires_grad_() if requires_grad else made


def tensor(data, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """A tensor of numbers, or of an array.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1, 2]), tensor([True, False])
    (tensor([[1., 2.],
            [3., 4.]]), tensor([1, 2]), tensor([ True, False]))
    """
    return _asked(_pullback.tensor(data, dtype), requires_grad)


def as_tensor(data, dtype=None, device=None) -> Tensor:
    """A tensor of what is none yet."""
    return data if isinstance(data, Tensor) and dtype in (None, data.dtype) else tensor(data, dtype=dtype)


def from_numpy(array) -> Tensor:
    """A tensor of an array; a copy of its numbers."""
    return tensor(array)


def _sizes(sizes) -> list[int]:
    """Sizes as several arguments, or as one list."""
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
        sizes = sizes[0]
    return [operator.index(size) for size in sizes]


def _maker(how: str, about: str, low: float = 0.0):
    def made(*size, dtype=None, device=None, requires_grad: bool = False, generator=None) -> Tensor:
        return _asked(_pullback.made(how, _sizes(size), dtype, low), requires_grad)

    def made_like(input: Tensor, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
        return _asked(_pullback.made(how, list(input.shape), dtype or input.dtype, low), requires_grad)

    made.__doc__, made_like.__doc__ = f"{about}, of these sizes.", f"{about}, of the sizes of a tensor."
    return made, made_like


rand, rand_like = _maker("rand", "Numbers between 0 and 1")
randn, randn_like = _maker("randn", "Normal numbers")
zeros, zeros_like = _maker("full", "Zeros")
ones, ones_like = _maker("full", "Ones", 1.0)
empty, empty_like = _maker("full", "Zeros, where PyTorch has whatever was there")

for _name in ("rand", "randn", "zeros", "ones", "empty"):
    for _made in (globals()[_name], globals()[f"{_name}_like"]):
        _made.__name__ = _made.__qualname__ = _name if _made is globals()[_name] else f"{_name}_like"


def full(size, fill_value, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """One number everywhere.

    >>> full((2,), 0.5), full((2,), 3)
    (tensor([0.5000, 0.5000]), tensor([3, 3]))
    """
    if dtype is None:
        dtype = {bool: "bool", int: "int64"}.get(type(fill_value))
    return _asked(_pullback.made("full", _sizes((size,)), dtype, float(fill_value)), requires_grad)


def full_like(input: Tensor, fill_value, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """One number everywhere, of the sizes of a tensor."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal.

    >>> eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return _asked(_pullback.eye(n, m, dtype), requires_grad)


def arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """The numbers from `start` up to, but not with, `end`.

    >>> arange(3), arange(0.0, 1.0, 0.5)
    (tensor([0, 1, 2]), tensor([0.0000, 0.5000]))
    """
    start, end = (0, start) if end is None else (start, end)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(hasattr(number, "__index__") for number in (start, end, step))
    count = math.ceil((end - start) / step)
    return _asked(_pullback.arange(float(start), float(step), count, whole, dtype), requires_grad)


def linspace(start, end, steps: int, *, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """So many numbers from `start` to `end`.

    >>> linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    step = (float(end) - float(start)) / max(steps - 1, 1)
    return _asked(_pullback.arange(float(start), step, steps, False, dtype), requires_grad)


def logspace(start, end, steps: int, base: float = 10.0, **options) -> Tensor:
    """Powers of `base`, from `start` to `end`."""
    return tensor([base ** (start + (end - start) * k / max(steps - 1, 1)) for k in range(steps)], **options)


def randint(low, high=None, size=None, *, dtype=None, device=None, requires_grad: bool = False, generator=None) -> Tensor:
    """Integers from `low` up to, but not with, `high`."""
    if size is None:
        low, high, size = 0, low, high
    return _asked(_pullback.made("randint", _sizes((size,)), dtype, float(low), float(high)), requires_grad)


def normal(mean, std=1.0, size=None, *, generator=None) -> Tensor:
    """Normal numbers with this mean and deviation: numbers, or tensors."""
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        shape = (mean + std).shape if isinstance(mean, Tensor) and isinstance(std, Tensor) else getattr(mean, "shape", None)
        return randn(shape if shape is not None else std.shape) * std + mean
    return _pullback.made("normal", _sizes((size,)), None, float(mean), float(std))
