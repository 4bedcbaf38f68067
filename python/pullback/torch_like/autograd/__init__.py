"""Backward passes: ``torch.autograd``."""

from __future__ import annotations

from ... import _pullback
from ..._pullback import Tensor
from .._modes import enable_grad, no_grad, set_grad_enabled
from . import functional

__all__ = ["backward", "enable_grad", "functional", "grad", "no_grad", "set_grad_enabled"]


def _listed(tensors) -> list:
    return [tensors] if tensors is None or isinstance(tensors, Tensor) else list(tensors)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    is_grads_batched=False,
    allow_unused=None,
    materialize_grads=False,
):
    """The gradients of the sum of `outputs` by each of `inputs`.

    >>> from pullback.torch_like import tensor
    >>> x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> grad((x**2).sum(), x)
    (tensor([2., 4., 6.]),)
    """
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched: call `grad` for each of them")
    if allow_unused is None:
        allow_unused = materialize_grads
    if materialize_grads and not allow_unused:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    inputs = _listed(inputs)
    cotangents = None if grad_outputs is None else _listed(grad_outputs)
    found = _pullback.grad(_listed(outputs), inputs, cotangents, retain_graph, create_graph, allow_unused)
    if materialize_grads:
        from .._making import zeros_like

        found = [zeros_like(input) if one is None else one for one, input in zip(found, inputs)]
    return tuple(found)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False):
    """Adds the gradients of the sum of `tensors` to the `.grad` of leaves."""
    cotangents = None if grad_tensors is None else _listed(grad_tensors)
    _pullback.backward(_listed(tensors), cotangents, retain_graph, create_graph)
