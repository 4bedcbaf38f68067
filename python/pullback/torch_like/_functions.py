"""Every function of the op table and of the language, as a function and as a method of tensors.

What there is the table says; a name and a place in PyTorch's modules is all that is added.
"""

from __future__ import annotations

import json
from functools import cache

from .._pullback import Tensor, call, call_in_place, ops
from ._apart import OTHERWISE
from ._results import named

#: Functions that the language has beside its table, since they only say something shorter.
_SHORTER = {"dot": "dot(a, b)", "square": "square(x)"}


@cache
def signatures() -> dict[str, tuple[str, str]]:
    """The signature and a line about it of each function, by all its names.

    >>> signatures()["softmax"]
    ('softmax(x, axis=-1)', 'The softmax along an axis: positive numbers that sum to 1.')
    >>> signatures()["clone"][0], signatures()["mse_loss"][0]
    ('clone(x)', 'mse_loss(input, target, reduction="mean")')
    """
    table = json.loads(ops())
    found = {}
    for operation in table["ops"]:
        for name in (operation["name"], *operation.get("aliases", ())):
            parameters = operation["signature"].partition("(")[2]
            found[name] = (f"{name}({parameters}", operation["summary"])
    for function in table["functions"]:
        name = function["signature"].partition("(")[0]
        found[name] = (function["signature"], f"``{function['definition']}``")
    for name, signature in _SHORTER.items():
        found[name] = (signature, "")
    return {name: about for name, about in found.items() if name not in OTHERWISE}


def function(module: str, name: str):
    """The function of this name, under a module of PyTorch's.

    >>> from pullback.torch_like import tensor
    >>> function("torch", "outer")(tensor([1.0, 2.0]), tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    signature, about = signatures()[name]

    def applied(*arguments, **keywords):
        return named(module, name, call(module, name, arguments, keywords))

    applied.__name__ = applied.__qualname__ = name
    applied.__module__ = "pullback.torch_like"
    applied.__doc__ = f"``{signature}``: {about}" if about else f"``{signature}``"
    return applied


def in_place(name: str):
    """The method that puts the result of a function in its tensor's place, as ``x.exp_()`` does."""

    def applied(self, *arguments, **keywords):
        return call_in_place("torch", name, (self, *arguments), keywords)

    applied.__name__ = applied.__qualname__ = f"{name}_"
    applied.__doc__ = f"``{name}`` in place."
    return applied


def add_functions(namespace: dict, module: str) -> None:
    """Adds all functions that a module does not define itself."""
    for name in signatures():
        namespace.setdefault(name, function(module, name))


def add_methods() -> None:
    """Makes all functions methods of tensors, where these have none of that name."""
    for name in signatures():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, function("torch", name))
        if not hasattr(Tensor, f"{name}_"):
            setattr(Tensor, f"{name}_", in_place(name))
