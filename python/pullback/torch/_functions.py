"""Whether something happens inside of a ``torch.autograd.Function``, which runs its forward pass without grad and cuts nothing off.

A forward pass may be called anything and be wrapped in anything, ``apply`` may have been taken from its class long before, and autograd makes
views of what a forward pass returns after it. So while somebody watches, ``apply`` and every ``forward`` say which function they are of.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading

import torch

_applied = threading.local()
_lock = threading.Lock()
_apply_itself = inspect.getattr_static(torch.autograd.Function, "apply")
#: How many watch, and what is to be put back after the last of them.
_watching, _replaced = 0, []


class NoticesFunctions:
    """A mode (`torch.utils._python_dispatch.TorchDispatchMode`) within which `function_around` answers."""

    def __enter__(self):
        global _watching
        with _lock:
            _watching += 1
            if _watching == 1:
                _replace("apply", torch.autograd.Function, classmethod(_apply))
                for cls in _functions():
                    _replace("forward", cls, staticmethod(_noticed(cls.forward, cls.__name__)))
        return super().__enter__()

    def __exit__(self, *error):
        global _watching
        found = super().__exit__(*error)
        with _lock:
            _watching -= 1
            while _watching == 0 and _replaced:
                setattr(*_replaced.pop())
        return found


def function_around() -> str | None:
    """The name of the function whose forward pass this is."""
    names = _applied.__dict__.get("names")
    return names[-1] if names else None


def _apply(cls, *args, **kwargs):
    with _within(cls.__name__):
        return _apply_itself.__get__(None, cls)(*args, **kwargs)


def _noticed(forward, name: str):
    @functools.wraps(forward)
    def noticed(*args, **kwargs):
        with _within(name):
            return forward(*args, **kwargs)

    return noticed


@contextlib.contextmanager
def _within(name: str):
    names = _applied.__dict__.setdefault("names", [])
    names.append(name)
    try:
        yield
    finally:
        names.pop()


def _replace(attribute: str, cls, by) -> None:
    _replaced.append((cls, attribute, inspect.getattr_static(cls, attribute)))
    setattr(cls, attribute, by)


def _functions() -> list:
    """The functions that are there and state a forward pass themselves."""
    found, stack = [], [torch.autograd.Function]
    while stack:
        for cls in stack.pop().__subclasses__():
            if isinstance(vars(cls).get("forward"), staticmethod):
                found.append(cls)
            stack.append(cls)
    return found
