"""What the documents show runs: the blocks of `docs/python.md` and of the README, and the notebooks of the examples."""

import json
import re
from pathlib import Path

import pytest

import pullback
from pullback import _notebook

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples/notebooks").glob("*.ipynb"))


def blocks(path):
    return re.findall(r"```python\n(.*?)```", (ROOT / path).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("path", ["docs/python.md", "README.md"])
def test_blocks_run(path, capsys):
    torch = pytest.importorskip("torch")
    scope = {
        "torch": torch,
        "pullback": pullback,
        "f": lambda x, w: torch.tanh(x @ w).sum(0),
        "x": torch.randn(3, 4),
        "w": torch.randn(4, 2),
        "model": torch.nn.Linear(4, 2),
        "__name__": "documents",
    }
    found = blocks(path)
    # What dumps a kernel in the README needs the arrays of its own script.
    found = [block for block in found if "save_file" not in block]
    assert found
    for number, block in enumerate(found):
        file = ROOT / "target" / f"block_{Path(path).stem}_{number}.py"
        exec(compile(block, str(file), "exec"), scope)  # noqa: S102
        # One block has Pullback's tensors under this name.
        scope["torch"] = torch
    shown = capsys.readouterr().out
    assert "missing term" in shown or "wrong ax" in shown
    if "test_rms_norm" in scope:
        with pytest.raises(pullback.WrongGradient):
            scope["test_rms_norm"]()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    if any("import torch" in "".join(cell["source"]) for cell in cells):
        pytest.importorskip("torch")
    scope, shown = {"__name__": "notebook"}, []
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        text = "".join(line for line in cell["source"] if not line.startswith("%load_ext"))
        magic = re.match(r"%%grad *(.*)\n", text)
        if magic:
            shown.append(_notebook.grad(magic[1], text[magic.end() :]))
            continue
        *statements, last = [*compile_cells(text, f"<cell {number} of {path.stem}>")]
        for statement in statements:
            exec(statement, scope)  # noqa: S102
        shown.append(eval(last, scope) if last is not None else None)  # noqa: S307
    assert all(one.ok for one in shown[:2] if isinstance(one, pullback.Report) and path.stem.startswith("01"))
    for one in shown:
        for form in ("_repr_html_", "_repr_markdown_"):
            if hasattr(type(one), form):
                assert getattr(one, form)()
    assert len(NOTEBOOKS) == 3


def compile_cells(text, name):
    """The statements of a cell, and the expression at its end, whose value a notebook shows."""
    import ast
    import linecache

    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    tree = ast.parse(text, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    yield compile(tree, name, "exec")
    yield compile(ast.Expression(last.value), name, "eval") if last is not None else None


def test_the_examples_of_kernels_find_their_mistakes():
    pytest.importorskip("torch")
    pytest.importorskip("triton")
    import os
    import subprocess
    import sys

    folder = os.path.dirname(os.path.dirname(pullback.__file__))
    environment = {**os.environ, "PYTHONPATH": folder}
    script = str(ROOT / "examples/kernels/triton_mutants.py")
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("wrong") >= 3 and "as it is: ✓" in found.stdout
