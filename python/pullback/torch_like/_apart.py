"""Functions that PyTorch has otherwise than the language: with other results, or with their arguments in another order.

``FUNCTIONS`` are those of ``torch`` and ``METHODS`` those of tensors, ``LAYERS`` those of ``torch.nn.functional``.
"""

from __future__ import annotations

import math

from .._pullback import Tensor, allclose, call


def is_tensor(it) -> bool:
    """Is it a tensor?"""
    return isinstance(it, Tensor)


def numel(input: Tensor) -> int:
    """How many elements a tensor has."""
    return input.numel()


def _axes(axes) -> list:
    """Axes given as several arguments, or as one list."""
    return list(axes[0]) if len(axes) == 1 and isinstance(axes[0], (list, tuple)) else list(axes)


def flip(input, *dims):
    """The elements from the last to the first, along each of these axes."""
    for dim in _axes(dims):
        input = call("torch", "flip", (input, dim))
    return input


def roll(input, shifts, dims=None):
    """The elements moved along an axis, or along each of several, and those that leave it brought in at the other end."""
    if dims is None:
        return call("torch", "roll", (input, shifts))
    for shift, dim in zip(_axes((shifts,)), _axes((dims,))):
        input = call("torch", "roll", (input, shift, dim))
    return input


def repeat(input, *sizes):
    """So many copies along each axis.

    >>> from pullback.torch_like import tensor
    >>> repeat(tensor([1.0, 2.0]), 2, 2)
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    return call("torch", "tile", (input, _axes(sizes)))


def squeeze(input, dim=None):
    """Without the axes of size 1, or without these where they have it."""
    if dim is None:
        return call("torch", "squeeze", (input,))
    dims = [axis % max(input.dim(), 1) for axis in _axes((dim,))]
    left_out = [axis for axis in dims if input.dim() and input.shape[axis] == 1]
    if not left_out:
        return call("torch", "clone", (input,))
    for axis in sorted(left_out, reverse=True):
        input = call("torch", "squeeze", (input,), {"dim": axis})
    return input


def tril(input, diagonal=0):
    """What stands on a diagonal and below; zeros elsewhere."""
    return call("torch", "tril", (input, diagonal))


def triu(input, diagonal=0):
    """What stands on a diagonal and above; zeros elsewhere."""
    return call("torch", "triu", (input, diagonal))


def count_nonzero(input, dim=None):
    """How many elements are not zero."""
    return call("torch", "sum", (input != 0,), {} if dim is None else {"dim": dim})


def one_hot(tensor, num_classes=-1):
    """Ones where the classes stand.

    >>> from pullback.torch_like import tensor
    >>> one_hot(tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if num_classes < 0:
        num_classes = int(tensor.max()) + 1
    return call("F", "one_hot", (tensor, num_classes)).to("int64")


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """The last axes, as many as `normalized_shape` has, by the root of their mean square, times `weight`."""
    if eps is None:
        eps = 2.0**-52 if input.dtype.itemsize == 8 else 2.0**-23
    sizes = list(normalized_shape)
    if list(input.shape[input.dim() - len(sizes) :]) != sizes:
        raise RuntimeError(
            f"Given normalized_shape={sizes}, expected input with shape {[*'*', *sizes]}, but got input of size{list(input.shape)}"
        )
    if len(sizes) == 1:
        return call("F", "rms_norm", (input, weight), {"eps": eps})
    flat = input.reshape([*input.shape[: input.dim() - len(sizes)], math.prod(sizes)])
    weight = weight if weight is None else weight.reshape([-1])
    return call("F", "rms_norm", (flat, weight), {"eps": eps}).reshape(list(input.shape))


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images as columns."""
    return call("F", "im2col", (input, kernel_size, dilation, padding, stride))


def _classes(input: Tensor) -> int:
    return 1 if input.dim() > 1 else 0


def cross_entropy(input, target, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """The cross-entropy of logits; classes are the second axis, or the only one. Shares of classes need not add up to 1."""
    axis = _classes(input)
    if not target.dtype.is_floating_point:
        said = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
        return call("F", "cross_entropy", (input, target), {"weight": weight, "axis": axis, **said})
    count = input.shape[axis]
    shares = target if label_smoothing == 0 else target * (1 - label_smoothing) + label_smoothing / count
    if weight is not None:
        shares = shares * weight.reshape([count] + [1] * (input.dim() - axis - 1))
    losses = -(shares * call("F", "log_softmax", (input, axis))).sum(axis)
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / losses.numel()


def nll_loss(input, target, weight=None, *, ignore_index=-100, reduction="mean"):
    """What `cross_entropy` is of logarithms of probabilities."""
    said = {"ignore_index": ignore_index, "reduction": reduction}
    return call("F", "nll_loss", (input, target), {"weight": weight, "axis": _classes(input), **said})


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


def contiguous(input):
    """The tensor itself: all are laid out in rows."""
    return input


def type_as(input, other):
    """A tensor in the type of another."""
    return input.to(other.dtype)


METHODS = [
    allclose, contiguous, count_nonzero, eq, equal, flip, ge, gt, isclose, le, lt, ne, repeat, roll, squeeze, tril, triu, type_as,
]  # fmt: skip
FUNCTIONS = [*(method for method in METHODS if method not in (contiguous, repeat, type_as)), is_tensor, numel]
LAYERS = [cross_entropy, dropout, nll_loss, one_hot, rms_norm, unfold]

#: What the language has under a name under which PyTorch has something else.
OTHERWISE = {
    "contiguous", "dropout", "repeat", "fft", "fft2", "ifft", "ifft2", "rfft", "irfft", "reduce", "vec", "index", "put", "pick",
}  # fmt: skip
