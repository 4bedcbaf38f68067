"""Several results of one function, under PyTorch's names."""

from __future__ import annotations

from collections import namedtuple

_PAIR = ("values", "indices")

#: What the results of a function are called, by its place and its name.
_NAMES = {
    **{f"torch.{name}": _PAIR for name in ("cummax", "cummin", "kthvalue", "max", "median", "min", "nanmedian", "sort", "topk")},
    "torch.aminmax": ("min", "max"),
    "torch.slogdet": ("sign", "logabsdet"),
    "torch.svd": ("U", "S", "V"),
    "torch.qr": ("Q", "R"),
    "torch.linalg.eigh": ("eigenvalues", "eigenvectors"),
    "torch.linalg.qr": ("Q", "R"),
    "torch.linalg.slogdet": ("sign", "logabsdet"),
    "torch.linalg.svd": ("U", "S", "Vh"),
}


class _Named:
    """A tuple that is printed as PyTorch prints those of several results."""

    __slots__ = ()

    def __repr__(self) -> str:
        parts = [f"{name}={part!r}" for name, part in zip(self._fields, self)]
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(parts) + ")"


def _type(place: str, names) -> type:
    called = place.removeprefix("torch.").replace(".", "_")
    return type(called, (_Named, namedtuple(called, names)), {"__slots__": ()})


_TYPES = {place: _type(place, names) for place, names in _NAMES.items()}


def named(module: str, name: str, results):
    """The results of a function, with names where PyTorch has some.

    >>> from pullback.torch_like import tensor
    >>> tensor([3.0, 1.0]).sort()
    torch.return_types.sort(
    values=tensor([1., 3.]),
    indices=tensor([1, 0]))
    """
    kind = _TYPES.get(f"{module}.{name}")
    if kind is None or not isinstance(results, tuple):
        return results
    return kind(*(one.to("int64") if name == "indices" else one for name, one in zip(kind._fields, results)))
