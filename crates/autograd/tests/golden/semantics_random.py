"""Random programs for `semantics.py`: which statements follow each other is drawn, PyTorch says what becomes of them.

A program ends with the first error of a backward pass, and its gradients are not shown then, since PyTorch may have added to
some of them by then. Left out is what rustdoc names as different on purpose: operations whose rule reads other values here than
there (`relu`, a quotient of two tensors), since values are changed in place.
"""

import math
import random

LAST = {"freed", "modified", "unused"}
UNARY = ["neg", "tanh", "sin", "exp", "square", "softmax"]
BINARY = ["add", "sub", "mul"]
REDUCTIONS = ["sum", "mean"]
FLAGS = ["", "", " retain_graph", " retain_graph", " create_graph"]


class Program:
    """Draws statements over vectors of two elements and scalars, by name."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.vectors = []
        self.scalars = []
        self.count = 0

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def literal(self):
        return "[{},{}]".format(*(self.random.choice([-1.5, -0.5, 0.25, 0.5, 1, 2]) for _ in range(2)))

    def any(self):
        return self.random.choice(self.vectors + self.scalars)

    def vector(self):
        return self.random.choice(self.vectors)

    def scalar(self):
        return self.random.choice(self.scalars or self.vectors)

    def start(self):
        for kind in ["leaf", "leaf", "constant"]:
            self.vectors.append(self.name())
            yield f"{self.vectors[-1]} = {kind} {self.literal()}"

    def statement(self):
        """A statement, and the names that it makes if it goes well, with whether they are vectors."""
        draw = self.random.random()
        quiet = "no_grad: " if self.random.random() < 0.15 else ""
        if draw < 0.30:
            name = self.name()
            choice = self.random.random()
            if choice < 0.45:
                a, b = self.vector(), self.random.choice([self.vector(), self.any(), "2", "0.5"])
                return f"{quiet}{name} = {self.random.choice(BINARY)} {a} {b}", [(name, True)]
            if choice < 0.8:
                return f"{quiet}{name} = {self.random.choice(UNARY)} {self.vector()}", [(name, True)]
            return f"{name} = detach {self.vector()}", [(name, True)]
        if draw < 0.42:
            name = self.name()
            return f"{quiet}{name} = {self.random.choice(REDUCTIONS)} {self.vector()}", [(name, False)]
        if draw < 0.56:
            seed = f" with {self.vector()}" if self.random.random() < 0.25 else ""
            return f"{quiet}backward {self.scalar() if not seed else self.vector()}{seed}{self.random.choice(FLAGS)}", []
        if draw < 0.68:
            name, x = self.name(), self.any()
            unused = " allow_unused" if self.random.random() < 0.3 else ""
            flags = self.random.choice(FLAGS) + unused
            return f"{quiet}{name} = grad {self.scalar()} -> {x}{flags}", [(name, x in self.vectors)]
        if draw < 0.76:
            return f"retain_grad {self.any()}", []
        if draw < 0.80:
            return f"requires_grad_ {self.any()} {self.random.choice(['true', 'true', 'false'])}", []
        if draw < 0.84:
            return f"zero_grad {self.any()}", []
        if draw < 0.88:
            name, x = self.name(), self.any()
            return f"{name} = grad_of {x}", [(name, x in self.vectors)]
        change = self.random.choice(["add_", "sub_", "mul_", "copy_"])
        quiet = "no_grad: " if self.random.random() < 0.4 else ""
        return f"{quiet}{change} {self.vector()} {self.vector()}", []


def program(seed, run, outcome):
    """The steps of a drawn program, run with `run` as it is drawn."""
    draws = Program(seed)
    steps = [{"do": text, "gives": outcome(run, text)} for text in draws.start()]
    shown = ["", ".grad"]
    while len(steps) < 16:
        text, made = draws.statement()
        words = text.split()
        if "grad_of" in words and run.gradient(words[-1]) is None:
            continue
        gives = outcome(run, text)
        steps.append({"do": text, "gives": gives})
        if gives:
            if gives["error"] in LAST:
                shown = [""]
                break
            continue
        for name, is_vector in made:
            if run.tensors[name] is not None:  # as that of an unused input is
                (draws.vectors if is_vector else draws.scalars).append(name)
    for name in draws.vectors + draws.scalars:
        for what in shown:
            steps.append({"do": f"show {name}{what}", "gives": outcome(run, f"show {name}{what}")})
    numbers = [x for step in steps if step["gives"] for x in step["gives"].get("data", [])]
    return steps if all(math.isfinite(x) and abs(x) < 1e6 for x in numbers) else None
