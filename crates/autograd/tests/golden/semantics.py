"""Golden runs of PyTorch's autograd: what accumulates, what is freed, and what is refused.

Run with Python 3.11 and PyTorch 2.15.0 (CPU):

    python semantics.py            writes semantics.json beside this file
    python semantics.py --check    writes nothing; fails if semantics.json is not what this script gives

A scenario is a list of statements, of which this script makes calls of PyTorch and `tests/tensor/replay.rs` calls of
Pullback. In float64 throughout; no statement depends on a random number.

    x = leaf [1,2]            torch.tensor([1., 2.], requires_grad=True)
    c = constant [1,2]        the same without requires_grad
    i = integers [1,2]        int64
    y = mul x 2               an operation of OPS; an operand is a name or a number
    d = detach y              y.detach()
    g = grad_of x             g = x.grad
    y = alias x               another name of the same tensor
    backward L                L.backward(); then `with NAME`, `retain_graph`, `create_graph`
    a b = grad L z -> x y     torch.autograd.grad((L, z), (x, y)); then `with NAME NAME` (`none` for None),
                              `retain_graph`, `create_graph`, `allow_unused`
    retain_grad y             y.retain_grad()
    requires_grad_ x false    x.requires_grad_(False)
    zero_grad x               x.grad = None, as optimisers do
    zero_ x, sub_ x 1, …      x.zero_(), x.sub_(1), …
    show x                    its values, whether it requires grad, and whether it is a leaf
    show x.grad               the same of its gradient; None, with or without a warning

A statement behind `no_grad:` is run inside of `torch.no_grad()`. What became of each statement stands beside it: null
where it just went well, what it showed, or the kind of error that it raised, with the head of PyTorch's message.

The scenarios of `semantics_scenarios.py` each show one thing; those of `semantics_random.py` are drawn.
"""

import json
import sys
import warnings
from pathlib import Path

import torch

from semantics_random import program
from semantics_scenarios import SCENARIOS

TARGET = Path(__file__).parent / "semantics.json"

OPS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "square": lambda a: a**2,
    "cube": lambda a: a**3,
    "matmul": lambda a, b: a @ b,
    "outer": torch.outer,
    "sum": torch.sum,
    "mean": torch.mean,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sign": torch.sign,
    "softmax": lambda a: torch.softmax(a, 0),
    "mse": torch.nn.functional.mse_loss,
}

IN_PLACE = {
    "add_": lambda a, b: a.add_(b),
    "sub_": lambda a, b: a.sub_(b),
    "mul_": lambda a, b: a.mul_(b),
    "copy_": lambda a, b: a.copy_(b),
    "exp_": lambda a: a.exp_(),
    "zero_": lambda a: a.zero_(),
}

# The kinds of error, and what PyTorch says in each.
KINDS = {
    "not-scalar": "grad can be implicitly created only for scalar outputs",
    "no-grad": "does not require grad and does not have a grad_fn",
    "input-without-grad": "One of the differentiated Tensors does not require grad",
    "unused": "appears to not have been used in the graph",
    "freed": "Trying to backward through the graph a second time",
    "modified": "has been modified by an inplace operation",
    "leaf-in-place": "a leaf Variable that requires grad is being used in an in-place operation",
    "not-a-leaf": "you can only change requires_grad flags of leaf variables",
    "integers": "only Tensors of floating point",
    "nothing-to-retain": "can't retain_grad on Tensor that has requires_grad=False",
    "seed-shape": "Mismatch in shape",
    "shape": "doesn't match the broadcast shape",
}


def literal(text):
    return json.loads(text)


class Run:
    """A scenario as it runs: its tensors by name."""

    def __init__(self):
        self.tensors = {}

    def operand(self, word):
        return self.tensors[word] if word in self.tensors else float(word)

    def statement(self, text):
        if text.startswith("no_grad: "):
            with torch.no_grad():
                return self.statement(text.removeprefix("no_grad: "))
        names, equals, rest = text.partition(" = ")
        if equals:
            results = self.expression(rest.split())
            results = results if isinstance(results, tuple) else (results,)
            for name, result in zip(names.split(), results, strict=True):
                self.tensors[name] = result
            return None
        word, *words = text.split()
        if word == "show":
            return self.show(words[0])
        if word == "grad":
            self.expression(text.split())
        elif word == "backward":
            seed = self.tensors[words[words.index("with") + 1]] if "with" in words else None
            self.tensors[words[0]].backward(
                seed,
                retain_graph=True if "retain_graph" in words else None,
                create_graph="create_graph" in words,
            )
        elif word == "retain_grad":
            self.tensors[words[0]].retain_grad()
        elif word == "requires_grad_":
            self.tensors[words[0]].requires_grad_({"true": True, "false": False}[words[1]])
        elif word == "zero_grad":
            self.tensors[words[0]].grad = None
        else:
            IN_PLACE[word](self.tensors[words[0]], *map(self.operand, words[1:]))
        return None

    def expression(self, words):
        word, *words = words
        if word in ("leaf", "constant"):
            return torch.tensor(literal(words[0]), dtype=torch.float64, requires_grad=word == "leaf")
        if word == "integers":
            return torch.tensor(literal(words[0]))
        if word == "alias":
            return self.tensors[words[0]]
        if word == "detach":
            return self.tensors[words[0]].detach()
        if word == "grad_of":
            return self.gradient(words[0])
        if word == "grad":
            return self.grad(words)
        return OPS[word](*map(self.operand, words))

    def grad(self, words):
        flags = {"retain_graph", "create_graph", "allow_unused"}
        given = flags & set(words)
        words = [word for word in words if word not in flags]
        words, seeds = (words[: words.index("with")], words[words.index("with") + 1 :]) if "with" in words else (words, None)
        outputs, inputs = words[: words.index("->")], words[words.index("->") + 1 :]
        return torch.autograd.grad(
            [self.tensors[name] for name in outputs],
            [self.tensors[name] for name in inputs],
            grad_outputs=seeds and [None if name == "none" else self.tensors[name] for name in seeds],
            retain_graph=True if "retain_graph" in given else None,
            create_graph="create_graph" in given,
            allow_unused=True if "allow_unused" in given else None,
        )

    def gradient(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.tensors[name].grad

    def show(self, word):
        name, dot, _ = word.partition(".grad")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            value = self.tensors[name].grad if dot else self.tensors[name]
        if value is None:
            return {"none": True, "warns": bool(warned)}
        return {
            "shape": list(value.shape),
            "data": value.detach().reshape(-1).tolist(),
            "requires_grad": value.requires_grad,
            "is_leaf": value.is_leaf,
        }


def outcome(run, text):
    try:
        return run.statement(text)
    except RuntimeError as error:
        message = str(error)
        kinds = [kind for kind, words in KINDS.items() if words in message]
        if len(kinds) != 1:
            raise
        return {"error": kinds[0], "message": message.split(".")[0].split("\n")[0]}


def scenario(title, text):
    run = Run()
    steps = [line.strip() for line in text.splitlines() if line.strip()]
    try:
        return {"scenario": title, "steps": [{"do": step, "gives": outcome(run, step)} for step in steps]}
    except Exception as error:
        error.add_note(f"in the scenario `{title}`")
        raise


def drawn(seed):
    try:
        steps = program(seed, Run(), outcome)
    except RuntimeError:
        # What PyTorch refuses for reasons of its own: a gradient whose elements share one place is not changed in place.
        return None
    return steps and {"scenario": f"drawn with seed {seed}", "steps": steps}


def main():
    # PyTorch warns that create_graph makes a cycle of a leaf and its gradient; no scenario depends on it.
    warnings.filterwarnings("ignore", message="Using backward.. with create_graph=True")
    scenarios = [scenario(title, text) for title, text in SCENARIOS.items()]
    scenarios += [steps for steps in map(drawn, range(120)) if steps]
    lines = ",\n".join(json.dumps(scenario, ensure_ascii=False) for scenario in scenarios)
    text = f'{{"pytorch": "{torch.__version__.split("+")[0]}", "scenarios": [\n{lines}\n]}}\n'
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else "semantics.json is not what this script gives")
    TARGET.write_text(text)
    print(len(scenarios), "scenarios,", sum(len(s["steps"]) for s in scenarios), "statements")


if __name__ == "__main__":
    main()
