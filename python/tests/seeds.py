"""The notebooks from which this project grew run under PyTorch and under Pullback, with nothing but their import lines changed.

    PYTHONPATH=python python python/tests/seeds.py [--show]

Their texts are not part of this repository: ``PULLBACK_SEEDS`` names the folder in which they lie, ``../shared/seeds`` otherwise. A cell is
compared by what it prints, shows, warns of and raises: character by character in notebooks that seed. In those that do not, both are
seeded with 0 before them. Whatever does not run is listed, and so is hidden state: what cells use that no cell defines, and what is
printed otherwise than when the notebook was saved.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import os
import re
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("PULLBACK_SEEDS") or ROOT.parent / "shared" / "seeds")

#: Of the seed that is no export of a notebook but a page: where cells start and end, and which lines a statement before them holds.
#: The page has lost line ends between cells, and all indentation.
SPANS = [
    ("def lin_grad(", "x.g = y.g @ w.T", range(1, 5)),
    ("import torch", "%matplotlib inline", ()),
    ("# Generate test input", "W_true, y[:7]", ()),
    ("plt.scatter", "No2');", ()),
    ("# Generate random weights", "w, b", ()),
    ("def lin(", "x @ w + b", ()),
    ("y_pred = lin(", "y_pred[:5]", ()),
    ("def mse(", ".mean()", ()),
    ("loss = mse(", "\nloss", ()),
    ("def mse_grad(", "y_targ.shape[1]", ()),
    ("mse_grad(y_pred, y)", "y)", ()),
    ("lin_grad(x, w, b, y_pred)", ")", ()),
    ("w -= 0.1", "\nloss", ()),
    ("for i in range(20)", "b_true", range(1, 8)),
    ("def forward(", "return loss", range(1, 4)),
    ("loss = forward(", "\nloss", ()),
    ("loss.backward()", ")", ()),
    ("# Update gradients", "lin_grad(x, w, b, y_pred)", ()),
    ("# Require gradient", "requires_grad_(True)", range(2, 3)),
    ("loss = forward(", "loss.backward()", ()),
    ("loss", "loss", ()),
    ("from fastcore", "test_close", ()),
    ("test_close(", "b.grad)", ()),
]

#: Hidden state of the notebooks, as far as what they show tells it: what is run before a cell in the second run.
HIDDEN = {
    "000": {"81": "d = 2 * v.detach()", "86": "import itertools\nx = torch.tensor([1.3, 0.9, -0.7])"},
    "001": {"92": "dtype = torch.float32"},
    "004": {
        "6": "x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)",
        "87": "jacobian = torch.tensor(0.0)",
        "76": "jacbo_dz_dW = torch.autograd.functional.jacobian(my_affine, (x, W, b))[1]",
        "109": "from torch.autograd.functional import jacobian",
        "99": "x = torch.tensor([10.0, 15.0, 20.0], requires_grad=True)\n"
        "W = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], requires_grad=True)\n"
        "b = torch.tensor([0.1, 0.2], requires_grad=True)",
        "100": "affine_sum_jacobian = jacobian(lambda x, W, b: my_affine(x, W, b).sum(), (x, W, b))",
        "101": "affine_jacobian = jacobian(my_affine, (x, W, b))",
    },
}


@dataclass
class Cell:
    """A cell of a notebook: its number, its code, and what it showed when the notebook was saved."""

    number: str
    code: str
    recorded: str


@dataclass
class Shown:
    """What a cell did when it ran."""

    printed: str = ""
    value: str = ""
    error: str = ""
    warned: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def text(self) -> str:
        parts = [self.printed.rstrip("\n"), self.value, self.error, *(f"UserWarning: {one}" for one in self.warned)]
        return "\n".join(part for part in parts if part)


def cells(text: str) -> list[Cell]:
    """The cells of a seed, in the order of the file."""
    marks = list(re.finditer(r"^In \[(\d+)\]:\n", text, re.MULTILINE))
    if not marks:
        return page(text)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [Cell(mark[1], *code_and_output(text[mark.end() : end])) for mark, end in zip(marks, ends)]


def page(text: str) -> list[Cell]:
    """The cells of a page."""
    found, at = [], 0
    for number, (first, last, held) in enumerate(SPANS, 1):
        start = text.index(first, at)
        at = text.index(last, start) + len(last)
        lines = text[start:at].split("\n")
        code = "\n".join(f"    {line}" if k in held else line for k, line in enumerate(lines))
        found.append(Cell(str(number), code, ""))
    return found


def code_and_output(text: str) -> tuple[str, str]:
    """What a cell says, and what stands behind it: the first blank line after which no code follows parts them."""
    lines, code = text.split("\n"), ""
    blank = [k for k, line in enumerate(lines) if not line.strip()] + [len(lines)]
    length = 0
    for end in blank:
        candidate = "\n".join(lines[:end])
        try:
            tree = ast.parse(candidate)
        except SyntaxError:
            continue
        if any(node.lineno > length and is_output(node) for node in tree.body):
            break
        code, length = candidate, end
    return code, "\n".join(lines[length:]).strip("\n")


def is_output(node: ast.stmt) -> bool:
    """Is a statement what a cell showed: a tensor, a tuple of them, a size, a truth?"""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return True
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    called = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    return isinstance(value, ast.Constant) or called in ("tensor", "torch.Size")


def with_imports_changed(code: str) -> str:
    """The code for Pullback: other lines than those that import are as they were."""
    changed = re.sub(r"^(\s*)import torch\.([\w.]+) as", r"\1import pullback.torch_like.\2 as", code, flags=re.MULTILINE)
    changed = re.sub(r"^(\s*)import torch\b(?! as)", r"\1import pullback.torch_like as torch", changed, flags=re.MULTILINE)
    changed = re.sub(r"^(\s*)from torch\b", r"\1from pullback.torch_like", changed, flags=re.MULTILINE)
    for before, after in zip(code.split("\n"), changed.split("\n")):
        assert before == after or before.lstrip().startswith(("import ", "from ")), after
    return changed


def show(value) -> str:
    """A value as a notebook shows it."""
    if value is None:
        return ""
    if not isinstance(value, tuple) or hasattr(value, "_fields") or type(value) is not tuple:
        return repr(value)
    parts = [show(one) for one in value]
    one_line = f"({', '.join(parts)})"
    if len(one_line) < 80 and "\n" not in one_line:
        return one_line
    return "(" + ",\n".join(parts).replace("\n", "\n ") + ")"


def without_what_is_missing(code: str, missing: set[str]) -> tuple[list[ast.stmt], list[str]]:
    """The statements that can run here, and those that cannot: they need a module that is not installed, or a notebook's own commands."""
    left_out = [line for line in code.split("\n") if line.startswith("%")]
    tree = ast.parse("\n".join(line for line in code.split("\n") if not line.startswith("%")))
    kept = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            if importlib.util.find_spec(module.split(".")[0]) is None:
                missing |= {name.asname or name.name for name in node.names}
                left_out.append(ast.unparse(node))
                continue
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        if names & missing:
            left_out.append(ast.unparse(node))
            continue
        kept.append(node)
    return kept, left_out


def run(notebook: list[Cell], change, hidden: dict[str, str]) -> dict[str, Shown]:
    """What each cell of a notebook does."""
    scope: dict = {"__name__": "notebook"}
    missing: set[str] = set()
    exec(change("import torch\ntorch.manual_seed(0)"), scope)  # noqa: S102
    found = {}
    for at, cell in enumerate(notebook):
        key, shown, printed = f"{at:02} In [{cell.number}]", Shown(), io.StringIO()
        statements, shown.left_out = without_what_is_missing(change(cell.code), missing)
        last = statements.pop() if statements and isinstance(statements[-1], ast.Expr) else None
        hides_value = cell.code.rstrip().endswith(";")
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                exec(change(hidden.get(cell.number, "")), scope)  # noqa: S102
                exec(compile(ast.Module(statements, []), key, "exec"), scope)  # noqa: S102
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), key, "eval"), scope)  # noqa: S307
                    shown.value = "" if hides_value else show(value)
            except Exception as error:  # noqa: BLE001
                shown.error = f"{type(error).__name__}: {error}"
        # PyTorch says where in its own sources it warned.
        shown.warned = [re.sub(r" \(Triggered internally.*\)", "", str(one.message)) for one in caught]
        shown.printed = printed.getvalue()
        found[key] = shown
    return found


NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]\d+)?")


def agree_but_for_rounding(one: str, other: str) -> bool:
    """Are two texts the same but for a rounding of single precision of numbers that are printed, or that are smaller than 1?

    What is the same but for the order of a sum may be exactly 0 in one and not in the other.
    """
    if re.sub(r"\s", "", NUMBER.sub("#", one)) != re.sub(r"\s", "", NUMBER.sub("#", other)):
        return False
    pairs = [(float(a), float(b)) for a, b in zip(NUMBER.findall(one), NUMBER.findall(other))]
    return all(abs(a - b) <= 2.0**-24 * max(1.0, abs(a)) for a, b in pairs)


@dataclass
class Comparison:
    """What was found of all notebooks."""

    cells: int = 0
    identical: int = 0
    rounded: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    as_saved: int = 0
    hidden: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def compare(folder: Path, tell=lambda line: None) -> Comparison:
    """Runs the notebooks of a folder under both."""
    found = Comparison()
    for path in sorted(folder.glob("*.txt")):
        text, stem = path.read_text(encoding="utf-8"), path.stem.partition("_")[0]
        notebook = cells(text)
        seeds = "manual_seed(" in text
        for hidden in [{}, HIDDEN[stem]] if stem in HIDDEN else [{}]:
            name = f"{stem}{', hidden state supplied' if hidden else ''}"
            theirs = run(notebook, lambda code: code, hidden)
            ours = run(notebook, with_imports_changed, hidden)
            for cell, (key, their) in zip(notebook, theirs.items()):
                our, where = ours[key], f"{name}, {key[3:]}"
                found.cells += 1
                same = their.text() == our.text()
                if same:
                    found.identical += 1
                elif agree_but_for_rounding(their.text(), our.text()):
                    found.rounded.append(where)
                else:
                    found.different.append(f"{where}\n--- PyTorch\n{their.text()}\n--- Pullback\n{our.text()}")
                tell(f"{where}: {'the same' if same else 'DIFFERENT'}\n{our.text()}")
                found.left_out += [f"{where}: {one}" for one in their.left_out if not hidden]
                saved = " ".join(cell.recorded.split())
                if saved and our.text() and " ".join(our.text().split()) in saved:
                    found.as_saved += 1
                elif saved and seeds:
                    found.hidden.append(f"{where}: prints otherwise than when it was saved")
                if their.error:
                    is_hidden = their.error.startswith("NameError")
                    (found.hidden if is_hidden else found.raised).append(f"{where}: {their.error}")
            found.hidden += [f"{name}: before In [{at}] {code!r}" for at, code in hidden.items()]
    return found


def main(arguments: list[str]) -> int:
    line = "=" * 78
    if not FOLDER.is_dir():
        print(f"{line}\nNO SEEDS: {FOLDER} IS NOT THERE; SET PULLBACK_SEEDS. NOTHING WAS COMPARED.\n{line}")
        return 0
    if importlib.util.find_spec("torch") is None:
        print(f"{line}\nNO PYTORCH: NOTHING WAS COMPARED.\n{line}")
        return 0
    found = compare(FOLDER, print if "--show" in arguments else lambda line: None)
    for title, lines in (
        ("DOES NOT RUN HERE, AND IS LEFT OUT OF BOTH", found.left_out),
        ("HIDDEN STATE", found.hidden),
        ("RAISED, THE SAME IN BOTH UNLESS IT IS LISTED BELOW", found.raised),
        ("THE SAME BUT FOR A ROUNDING", found.rounded),
        ("DIFFERENT", found.different),
    ):
        print(f"{title}: {len(lines)}", *lines, sep="\n  ")
    print(f"{found.identical} of {found.cells} cells print the same, character by character; {found.as_saved} as they did when saved")
    return 1 if found.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
