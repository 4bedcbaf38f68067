"""HTML of what a terminal shows, and pictures of Jacobians. No script and no style sheet is needed."""

from __future__ import annotations

import html
import re

_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")

#: Colours that can be read on white and on black.
_COLOURS = {
    "31": "#d03b3b", "32": "#2f9e44", "33": "#b7791f", "34": "#3b6fd0", "35": "#a23bb0", "36": "#1c8a94",
    "91": "#d03b3b", "92": "#2f9e44", "93": "#b7791f", "94": "#3b6fd0", "95": "#a23bb0", "96": "#1c8a94",
}  # fmt: skip


def terminal_html(text: str) -> str:
    """Text with the escapes of a terminal as a ``<pre>``.

    >>> terminal_html("a \\x1b[1;31m<b>\\x1b[0m")
    '<pre style="line-height:1.3">a <span style="font-weight:bold;color:#d03b3b">&lt;b&gt;</span></pre>'
    """
    parts, is_open, at = [], False, 0
    for escape in _ESCAPE.finditer(text):
        parts.append(html.escape(text[at : escape.start()]))
        at = escape.end()
        if is_open:
            parts.append("</span>")
        codes = [code for code in escape.group(1).split(";") if code.strip("0")]
        styles = []
        for position, code in enumerate(codes):
            if code == "1":
                styles.append("font-weight:bold")
            elif code == "2":
                styles.append("opacity:0.7")
            elif code in _COLOURS:
                styles.append(f"color:{_COLOURS[code]}")
            elif code == "5" and codes[position - 1 : position] == ["38"]:
                styles.append(f"color:{_of_palette(codes[position + 1 : position + 2])}")
        is_open = bool(styles)
        if is_open:
            parts.append(f'<span style="{";".join(styles)}">')
    parts.append(html.escape(text[at:]))
    return f'<pre style="line-height:1.3">{"".join(parts)}{"</span>" if is_open else ""}</pre>'


def _of_palette(code) -> str:
    return {"9": "#d03b3b", "10": "#2f9e44", "12": "#3b6fd0"}.get("".join(code), "inherit")


def heat_map(matrix, title: str, most: int = 64) -> str:
    """A matrix as a picture (SVG): red above zero, blue below, white at zero. A larger one is shown by the largest of each block.

    >>> import numpy as np
    >>> heat_map(np.eye(2), "I").count("<rect")
    3
    """
    import numpy as np

    matrix = np.asarray(matrix, dtype=float)
    rows, columns = matrix.shape
    shown = _blocks(matrix, most)
    largest = float(np.nanmax(np.abs(shown), initial=0.0)) if shown.size else 0.0
    height, width = shown.shape
    cell = max(4, min(18, 480 // max(height, width, 1)))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * cell + 2}" height="{height * cell + 22}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{html.escape(title, quote=True)}">',
        f'<text x="1" y="12" fill="currentColor">{html.escape(title)}</text>',
        f'<rect x="0.5" y="18.5" width="{width * cell + 1}" height="{height * cell + 1}" fill="#fff" stroke="#888"/>',
    ]
    for row, column in zip(*np.nonzero(shown)):
        share = shown[row, column] / largest if largest else 0.0
        fill = "#888" if not np.isfinite(share) else _colour(float(share))
        value = f"{shown[row, column]:.4g}"
        parts.append(
            f'<rect x="{column * cell + 1}" y="{row * cell + 19}" width="{cell}" height="{cell}" fill="{fill}">'
            f"<title>{row}, {column}: {value}</title></rect>"
        )
    if shown.shape != (rows, columns):
        parts[1] = parts[1].replace("</text>", f" ({rows} × {columns}, the largest of each block)</text>")
    return "".join([*parts, "</svg>"])


def _blocks(matrix, most: int):
    import numpy as np

    for axis in (0, 1):
        size = matrix.shape[axis]
        if size > most:
            edges = np.linspace(0, size, most + 1).astype(int)
            parts = np.split(matrix, edges[1:-1], axis=axis)
            at = [np.take_along_axis(p, np.abs(p).argmax(axis, keepdims=True), axis) for p in parts]
            matrix = np.concatenate(at, axis=axis)
    return matrix


def _colour(share: float) -> str:
    """White at 0, red at 1, blue at −1."""
    fade = round(255 * (1 - min(abs(share), 1.0) * 0.85))
    return f"#{'ff' if share > 0 else f'{fade:02x}'}{fade:02x}{'ff' if share < 0 else f'{fade:02x}'}"
