"""Derivatives of functions: ``torch.autograd.functional``."""

from __future__ import annotations

from ... import _pullback
from ..._pullback import Tensor
from .._making import zeros
from .._modes import enable_grad

__all__ = ["hessian", "jacobian", "vjp"]


def _tuple(of, name: str, function: str) -> tuple:
    for at, one in enumerate(of if isinstance(of, tuple) else (of,)):
        if not isinstance(one, Tensor):
            what = f"value at index {at}" if isinstance(of, tuple) else f"given {name}"
            raise TypeError(
                f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the {what} has type {type(one)}."
            )
    return of if isinstance(of, tuple) else (of,)


def _recorded(inputs, create_graph: bool) -> tuple:
    """The inputs as tensors of their own, of which derivatives are taken."""
    if create_graph:
        return tuple(one.clone() if one.requires_grad else one.detach().requires_grad_() for one in inputs)
    return tuple(one.detach().requires_grad_() for one in inputs)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of a function by each of its inputs: of shape ``[output…, input…]``.

    >>> from pullback.torch_like import tensor
    >>> jacobian(lambda x: x.exp(), tensor([0.0, 1.0]))
    tensor([[1.0000, 0.0000],
            [0.0000, 2.7183]])
    """
    given = _tuple(inputs, "inputs", "jacobian")
    with enable_grad():
        recorded = _recorded(given, create_graph)
        returned = func(*recorded)
        outputs = _tuple(returned, "outputs of the user-provided function", "jacobian")
        found = tuple(_by_each(output, recorded, create_graph, strict) for output in outputs)
    if not isinstance(inputs, tuple):
        found = tuple(one[0] for one in found)
    return found if isinstance(returned, tuple) else found[0]


def _by_each(output, inputs, create_graph, strict) -> tuple:
    """The Jacobians of one output, row by row."""
    count, shape = output.numel(), list(output.shape)
    rows = [[] for _ in inputs]
    for at in range(count if output.requires_grad else 0):
        one = zeros(count, dtype=output.dtype)
        one[at] = 1
        shares = _pullback.grad([output], list(inputs), [one.reshape(shape)], True, create_graph, True)
        for row, share, input in zip(rows, shares, inputs):
            if share is None and strict:
                raise RuntimeError("The output of the user-provided function is independent of input. This is not allowed in strict mode.")
            row.append(zeros(list(input.shape), dtype=input.dtype) if share is None else share)

    def joined(row, input):
        shape_of_all = [*shape, *input.shape]
        if not row:
            return zeros(shape_of_all, dtype=input.dtype)
        return _pullback.call("torch", "stack", (row,)).reshape(shape_of_all)

    return tuple(joined(row, input) for row, input in zip(rows, inputs))


def hessian(func, inputs, create_graph=False, strict=False):
    """The second derivatives of a function that returns one number.

    >>> from pullback.torch_like import tensor
    >>> hessian(lambda x: (x**3).sum(), tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    single = not isinstance(inputs, tuple)

    def slopes(*at):
        value = func(*at)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        found = jacobian(func, at, create_graph=True, strict=strict)
        return tuple(one.reshape(list(input.shape)) for one, input in zip(found, at))

    found = jacobian(slopes, _tuple(inputs, "inputs", "hessian"), create_graph, strict)
    return found[0][0] if single else found


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """A function's value, and a cotangent carried back to its inputs."""
    given = _tuple(inputs, "inputs", "vjp")
    with enable_grad():
        recorded = _recorded(given, create_graph)
        value = func(*recorded)
        shares = _pullback.grad([value], list(recorded), None if v is None else [v], None, create_graph, True)
    shares = tuple(zeros(list(one.shape), dtype=one.dtype) if share is None else share for share, one in zip(shares, given))
    return value.detach() if not create_graph else value, shares if isinstance(inputs, tuple) else shares[0]
