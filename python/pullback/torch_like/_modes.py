"""Whether operations are recorded: as contexts, and as decorators."""

from __future__ import annotations

import functools

from .._pullback import is_grad_enabled
from .._pullback import set_grad_enabled as _set

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]


class _Mode:
    """A mode for the time of a `with`, or of a function."""

    enabled = True

    def __new__(cls, function=None):
        self = super().__new__(cls)
        self._before = []
        return self if function is None else self(function)

    def __enter__(self) -> None:
        self._before.append(_set(self.enabled))

    def __exit__(self, *_) -> None:
        _set(self._before.pop())

    def __call__(self, function):
        @functools.wraps(function)
        def within(*arguments, **keywords):
            with type(self)():
                return function(*arguments, **keywords)

        return within


class no_grad(_Mode):
    """Nothing is recorded.

    >>> from pullback.torch_like import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad, (x * x).requires_grad
    (False, True)
    """

    enabled = False


class inference_mode(no_grad):
    """As `no_grad`."""


class enable_grad(_Mode):
    """Operations are recorded, inside of `no_grad` too."""


class set_grad_enabled(_Mode):
    """Records operations from here on, or none; as a context, for its time."""

    def __new__(cls, mode: bool):
        self = super().__new__(cls)
        self.enabled = bool(mode)
        self._outside = _set(self.enabled)
        return self

    def __enter__(self) -> None:
        self._before.append(self._outside)
        _set(self.enabled)
