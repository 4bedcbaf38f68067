"""The Rust side: what `python/src/session.rs` exports. The package's own functions are what is meant to be called."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

class PullbackError(Exception):
    """What could not be read, run or judged, as the command tells it: with the place, and what to do about it."""

def check(
    name: str,
    source: str,
    folder: str,
    dump: str | None = None,
    data: Sequence[tuple[str, Any, str | None]] | None = None,
    computed: str | None = None,
    complete: bool = False,
    verdicts_only: bool = False,
    function: Callable[[dict[str, np.ndarray]], list[tuple[str, Any]]] | None = None,
) -> tuple[int, str, str, str]:
    """Exit code, JSON, text, and the text with colours for a terminal."""

def run(name: str, source: str, folder: str) -> tuple[str, str, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """JSON, text, definitions and gradients."""

def derive(name: str, source: str, folder: str, wrt: str | None = None, statements: bool = False) -> tuple[str, str]:
    """JSON and text."""

def jacobian(
    name: str, source: str, folder: str, of: str, wrt: str, form: str | None = None
) -> tuple[str, str, np.ndarray | None]:
    """JSON, text, and the numbers where a form is asked for: `tensor`, `row` or `col`."""

def ops() -> str:
    """The op table as JSON."""

def main(arguments: Sequence[str]) -> int:
    """The command; the exit code."""
