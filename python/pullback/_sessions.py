"""What the command does, as functions of Python."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from . import _pullback
from ._html import heat_map
from ._pullback import PullbackError
from ._report import Item, Report
from ._traced import Traced


def check(
    what,
    *args,
    data=None,
    reference=None,
    precision: str | None = None,
    complete: bool = False,
    folder=None,
    **how,
) -> Report:
    """Judges claims, or a backward pass that runs.

    ``what``: a ``str`` is a source, a ``Path`` a file; ``data`` are arrays by name (``x``, ``dL/dx``) that take the place of its
    numbers, as ``--data`` does, or the path of a dump, and ``complete`` says that all gradients are to be among them. Anything that can be
    called is a function with a backward pass, and ``args`` are its arguments: see ``pullback.torch.check`` and ``pullback.jax.check``, which
    take what else is given (``cotangents``, ``order``, ``seed``, keyword arguments of the function).

    >>> import numpy as np
    >>> x = np.array([1.0, 2.0])
    >>> report = check("x: [n=3] ~ randn; L = sum(x^2)", data={"x": x, "dL/dx": 2 * x})
    >>> report.ok, report.claims[0].shape
    (True, [2])
    """
    if not isinstance(what, (str, Path, Traced)) and callable(what):
        if data is not None or complete or folder is not None:
            raise TypeError("`data`, `complete` and `folder` belong to a source; a function has its arguments")
        return _framework(what, args).check(what, *args, reference=reference, precision=precision, **how)
    if not isinstance(what, (str, Path, Traced)):
        raise TypeError(f"{type(what).__name__} is no source, no path of a file and no function")
    if args or how or reference is not None:
        raise TypeError("arguments belong to a function; a source is given its numbers as `data`")
    name, source, folder = _source(what, folder)
    dump, arrays = None, None
    if isinstance(data, (str, os.PathLike)):
        dump, arrays = os.fspath(data), _dumped(os.fspath(data))
    elif data is not None:
        arrays = [(str(key), *_array(value)) for key, value in dict(data).items()]
    result = _pullback.check(name, source, folder, dump=dump, data=arrays, computed=precision, complete=complete)
    return Report(*result, source=source, places=what.place if isinstance(what, Traced) else None)


def assert_gradients(what, *args, **how) -> Report:
    """Fails a test where a gradient does not hold, with the whole diagnosis. Takes what ``check`` takes.

    >>> _ = assert_gradients("x: [n=3] ~ randn; L = sum(x^2); dL/dx = 2 * x")
    """
    __tracebackhide__ = True
    report = check(what, *args, **how)
    for seen in _observers:
        seen(report)
    return report.raise_if_wrong()


#: Who else is shown what `assert_gradients` found: the plugin of pytest.
_observers: list = []


def trace(fn, *args, **kwargs) -> Traced:
    """A function of PyTorch or JAX as a program: see ``pullback.torch.trace`` and ``pullback.jax.trace``."""
    return _framework(fn, args).trace(fn, *args, **kwargs)


class Run:
    """The values and gradients of a program.

    >>> result = run("x = [1, 2]; L = sum(x^2)")
    >>> print(result)
    L = tensor(5.)
    <BLANKLINE>
    dL/dx = tensor([2., 4.])
    <BLANKLINE>
    >>> result["L"], result["dL/dx"]
    (array(5.), array([2., 4.]))
    """

    def __init__(self, json_text, text, definitions, gradients):
        self._json, self._text = json_text, text
        #: Each definition as an array, by its name.
        self.definitions = definitions
        #: The gradient of the loss by each input, by its name: ``dL/dx``.
        self.gradients = gradients

    def __getitem__(self, name: str):
        return self.definitions[name] if name in self.definitions else self.gradients[name]

    def to_json(self) -> str:
        """What ``pullback run --json`` prints."""
        return self._json

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}```\n"


def run(what, folder=None) -> Run:
    """Runs a program: every definition, then the gradient of the last scalar by every input."""
    return Run(*_pullback.run(*_source(what, folder)))


class Derivation:
    """Gradients derived step by step; a notebook shows them as mathematics."""

    def __init__(self, json_text: str, text: str, page: str, markdown: str):
        self._json, self._text, self._page, self._markdown = json_text, text, page, markdown

    @property
    def gradients(self) -> dict[str, str]:
        """By what is differentiated by, the gradient as code of the language.

        >>> derive("Z = X @ W", wrt="X").gradients
        {'X': 'dL/dZ @ W.T'}
        """
        found = json.loads(self._json)["derivations"]
        return {one["wrt"]["name"]: one["code"] for one in found if one.get("code") is not None}

    def to_json(self) -> str:
        """What ``pullback derive --json`` prints."""
        return self._json

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The page with MathML, which needs no script."""
        return self._page

    def _repr_latex_(self) -> str:
        """The formulas of the steps, for MathJax.

        >>> print(derive("Z = X @ W", wrt="X")._repr_latex_().splitlines()[-3])
        \\frac{\\partial L}{\\partial X} &= \\frac{\\partial L}{\\partial Z} W^{\\top} && \\text{as a whole}
        """
        formulas = re.findall(r"```math\n(.*?)\n```", self._markdown, re.DOTALL)
        return "\n\n".join(f"$$\n{formula}\n$$" for formula in formulas)

    def _repr_markdown_(self) -> str:
        """The page with formulas as GitHub shows them."""
        return self._markdown


def derive(what, wrt: str | None = None, of: str | None = None, steps: str = "full", folder=None) -> Derivation:
    """Derives the gradient of what a program computes, or of the value ``of``, by one value or by every input; ``steps="brief"`` shows it
    as a program.

    A text that declares no input is read as behind ``-e``: undeclared names are inputs, upper case a matrix, lower case a vector.

    >>> derive("a = X @ w; b = tanh(a)", of="a", wrt="w").gradients
    {'w': 'X.T @ dL/da'}
    """
    name, source, folder = _source(what, folder)
    statements = isinstance(what, str) and "~" not in source
    return Derivation(*_pullback.derive(name, source, folder, of, wrt, statements, steps))


class Jacobian(Item):
    """The Jacobian of one value by another, or a Hessian: structure, formula, cost, and numbers where they were asked for.

    >>> jacobian("X: [N=2, D=2] ~ randn; W: [D, M=2] ~ randn; Z = X @ W", of="Z", wrt="X").array.shape
    (4, 4)
    """

    def __init__(self, json_text: str, text: str, array, title: str):
        super().__init__(json.loads(json_text))
        self._json, self._text, self._title = json_text, text, title
        #: The numbers as a matrix, both values in row-major vec.
        self.array = array

    def to_json(self) -> str:
        """What ``pullback jacobian --json`` prints."""
        return self._json

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        picture = "" if self.array is None else heat_map(self.array, self._title)
        return f"{picture}<pre>{escape(self._text)}</pre>"


#: Larger Jacobians are not written out unless that is asked for.
_MOST_DENSE = 1 << 20


def jacobian(what, of: str, wrt: str, dense: bool | None = None, folder=None) -> Jacobian:
    """The Jacobian of the value ``of`` by ``wrt``. It is written out where that is not large, or where ``dense`` says so."""
    return _jacobian(what, of, wrt, None, dense, folder, f"∂{of}/∂{wrt}")


def hessian(what, of: str, wrt: str, other: str | None = None, dense: bool | None = None, folder=None) -> Jacobian:
    """The second derivatives of the number ``of`` by ``wrt``, and by ``other`` where they are mixed: the Jacobian of its gradient.

    >>> found = hessian("x: [n=3] ~ randn; A: [n, n] ~ randn; L = x @ A @ x", of="L", wrt="x")
    >>> found.array.shape, bool((found.array == found.array.T).all())
    ((3, 3), True)
    """
    title = f"∂²{of}/∂{wrt}²" if other in (None, wrt) else f"∂²{of}/∂{wrt}∂{other}"
    return _jacobian(what, of, wrt, other or wrt, dense, folder, title)


def _jacobian(what, of, wrt, again, dense, folder, title) -> Jacobian:
    name, source, folder = _source(what, folder)
    json_text, text, _ = _pullback.jacobian(name, source, folder, of, wrt, None, again)
    cost = json.loads(json_text)
    sizes = [_size(cost[side]["shape"]) for side in ("of", "wrt") if isinstance(cost.get(side), dict)]
    is_small = len(sizes) == 2 and sizes[0] * sizes[1] <= _MOST_DENSE
    array = None
    if dense or (dense is None and is_small):
        array = _pullback.jacobian(name, source, folder, of, wrt, "row", again)[2]
    return Jacobian(json_text, text, array, title)


def _size(shape) -> int:
    total = 1
    for size in shape:
        total *= size if isinstance(size, int) else size.get("size", 1)
    return total


def _source(what, folder) -> tuple[str, str, str]:
    """The name, the text and the folder of a source."""
    if isinstance(what, Traced):
        return f"{what.name}.grad", str(what), os.fspath(folder or ".")
    if isinstance(what, Path):
        try:
            text = what.read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            raise PullbackError(f"error: cannot read `{what}`: {error.strerror or error}") from None
        return str(what), text, os.fspath(folder or what.parent)
    if isinstance(what, str):
        return "<source>", what, os.fspath(folder or ".")
    raise TypeError(f"a source is a str, a pathlib.Path or a traced function, not {type(what).__name__}")


def _array(value):
    """An array, and in what it was computed where NumPy does not know that."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        from .torch._arrays import to_numpy

        return to_numpy(value)
    return value, None


def _dumped(path: str):
    """The arrays of an `.npz` file, or of a `.safetensors` file where the package of that name is there."""
    import numpy as np

    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file

        return [(name, array, None) for name, array in load_file(path).items()]
    with np.load(path, allow_pickle=False) as arrays:
        return [(name, arrays[name], None) for name in arrays.files]


def _framework(fn, args):
    """PyTorch's side or JAX's, by what the arguments are made of; neither is imported for the other's sake."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")

    def has(kind, value, depth=0) -> bool:
        if isinstance(value, kind):
            return True
        if depth < 4 and isinstance(value, (list, tuple)):
            return any(has(kind, one, depth + 1) for one in value)
        return depth < 4 and isinstance(value, dict) and any(has(kind, one, depth + 1) for one in value.values())

    is_torch = torch is not None and (
        has(torch.Tensor, args)
        or isinstance(fn, torch.nn.Module)
        or (isinstance(fn, type) and issubclass(fn, torch.autograd.Function))
    )
    if is_torch:
        from . import torch as found

        return found
    if jax is not None:
        from . import jax as found

        return found
    raise TypeError("the arguments hold no tensors of PyTorch and no arrays of JAX: what is to be traced?")
