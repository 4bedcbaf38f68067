"""Where in the user's code something happens, and what the user calls its result.

The frames of libraries are passed over: the innermost frame that belongs to none of them is the user's. A name is what a variable of
that frame is bound to, or, of the last thing that a line does, what the line assigns to.
"""

from __future__ import annotations

import ast
import functools
import linecache
import os
import sys
import sysconfig

from ._program import Place

#: Code below these folders is nobody's own.
_OWN = os.path.dirname(os.path.abspath(__file__))


@functools.lru_cache(maxsize=None)
def is_library(file: str) -> bool:
    """Is this a file of a library, of Python itself, or of this package?"""
    if file.startswith("<frozen") or file == "<string>":
        return True
    if file.startswith("<"):
        # A cell of a notebook.
        return False
    path = os.path.abspath(file)
    paths = sysconfig.get_paths()
    return path.startswith(_OWN + os.sep) or any(
        path.startswith(os.path.abspath(paths[key]) + os.sep) for key in ("purelib", "platlib", "stdlib")
    )


def user_frame(depth: int = 1):
    """The innermost frame of the user's, or none."""
    frame = sys._getframe(depth)
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def place_of(frame) -> Place | None:
    """Where a frame is."""
    if frame is None:
        return None
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def assigned_at(file: str, line: int) -> str | None:
    """The name that the statement around a line assigns to, where it is one."""
    return _assignments(file).get(line)


@functools.lru_cache(maxsize=64)
def _assignments(file: str) -> dict[int, str]:
    """By the lines of each statement ``name = …`` its name. Several statements on one line tell nothing."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, str | None] = {}
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif not isinstance(node, (ast.Assign, ast.Return, ast.Expr)):
            continue
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            found[line] = name if line not in found else None
    return {line: name for line, name in found.items() if name is not None}
