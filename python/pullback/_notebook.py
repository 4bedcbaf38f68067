"""The cell magic ``%%grad``: a cell in the ``.grad`` language.

``%load_ext pullback`` makes it known. ``%%grad`` checks where the cell claims something and runs it where it does not; ``%%grad
derive``, ``%%grad run``, ``%%grad jacobian of wrt`` and ``%%grad hessian of wrt`` say what is wanted.
"""

from __future__ import annotations


def grad(line: str, cell: str):
    """What the magic does.

    >>> grad("derive", "x: [3] ~ randn\\nL = sum(x^2)").gradients
    {'x': '2 * x'}
    >>> grad("", "x: [n=3] ~ randn\\nL = sum(x^2)\\ndL/dx = 2 * x").ok
    True
    """
    from . import check, derive, hessian, jacobian, run

    words = line.split()
    command, rest = (words[0], words[1:]) if words else ("", [])
    if command == "derive":
        return derive(cell, wrt=rest[0] if rest else None)
    if command == "run":
        return run(cell)
    if command == "jacobian" and len(rest) == 2:
        return jacobian(cell, of=rest[0], wrt=rest[1])
    if command == "hessian" and len(rest) in (2, 3):
        return hessian(cell, rest[0], *rest[1:])
    if command in ("", "check"):
        claims_nothing = command == "" and not any(
            text.lstrip().startswith(("d", "∂", "shape(")) and "/" in text.split("=")[0] and "~" not in text
            for text in cell.replace(";", "\n").split("\n")
        )
        return run(cell) if claims_nothing else check(cell)
    raise ValueError(f"%%grad {line}: check, run, derive [wrt], jacobian of wrt and hessian of wrt are understood")


def load_ipython_extension(ipython) -> None:
    """Makes ``%%grad`` known: ``%load_ext pullback``."""
    ipython.register_magic_function(grad, "cell", "grad")
