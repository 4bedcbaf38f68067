"""A program: inputs, definitions, what is differentiated, and a rule of differentiation in text for each definition.

A definition (`Node`) states three things: `forward`, an expression of its operands; `rule`, what each operand gets of the
cotangent, an expression too, or nothing where that is long: it is then claimed as numbers, those of PyTorch's autograd; and, where it
chooses (relu, max, a comparison), how far each choice is from turning.
`Program.run` evaluates all of it in any precision, on any numbers of the inputs; autograd differentiates that run.
"""

import torch

from expression import Dim, E, total


class Unfit(Exception):
    """A program that is not tame, or whose points lie too near to a jump: another one is drawn instead."""


class Input:
    """How a value comes to be: drawn by a distribution that PyTorch has, or written down as numbers."""

    def __init__(self, name, dims, how, draw, kind="float", classes=None):
        # `kind`: "float", "mask" (0 and 1: exact, never scaled) or "int" (labels and indices: no gradient).
        self.name, self.dims, self.how, self.draw, self.kind = name, dims, how, draw, kind
        # How many values an integer may have, as a size.
        self.classes = classes


class Node:
    def __init__(
            self, name, operands, dims, forward, rule, statement=None, gap=None, exact=False, jumps=False, pieces=False,
            holds=False, beside=None):
        self.name, self.operands, self.dims = name, operands, dims
        # Whether a part of it is held: differences that move an operand see more of it than its derivative.
        self.holds = holds
        # The definition whose statement states this one too, as its next result.
        self.beside = beside
        self.forward, self.rule, self.gap, self.jumps = forward, rule, gap, jumps
        # Whether it is smooth, and written with pieces that meet at 0 of its first operand.
        self.pieces = pieces
        # Whether exact operands give an exact result: elements move, or are compared.
        self.exact = exact
        # Another way of writing it than `name = expression`.
        self.statement = statement


class Run:
    """The values of one evaluation by name, the texts of the definitions, and the loss."""

    def __init__(self, values, texts, loss):
        self.values, self.texts, self.loss = values, texts, loss

    def of(self, name):
        """The number of a value, or of the loss, apart from how it came to be."""
        return (self.loss if name == "L" else self.values[name]).value.detach()


class Program:
    def __init__(self, seed, rng):
        self.seed, self.rng = seed, rng
        self.named = self.rng.random() < 0.5
        self.dtype = "f32" if self.rng.random() < 0.15 else "f64"
        self.literal = self.rng.random() < 0.45
        self.inputs, self.nodes, self.functions = {}, {}, []
        self.exact = set()
        # Names that stand inside a definition alone: those of loops.
        self.inner = set()
        # Kinds of definitions of which a program has one.
        self.drawn = set()
        # Values of which a mask sent some far down: only what ignores these may use them, so they are for no other definition.
        self.masked = set()
        self.output = None
        # "sum", "mean-square", "weighted" or "given": how a scalar comes of the output, if one does.
        self.ending = None
        self.sizes()

    def sizes(self):
        names = ["n", "m", "k", "d"]
        sizes = [self.rng.choice([1, 2, 2, 3, 3, 4, 5, 6]) for _ in names]
        if self.rng.random() < 0.03:
            sizes[0] = self.rng.choice([17, 33, 80])
        self.dims = [Dim(size, name if self.named else None) for name, size in zip(names, sizes)]

    def dims_of(self, name):
        return (self.inputs.get(name) or self.nodes[name]).dims

    def fresh(self, letters, *but):
        taken = {*self.inputs, *self.nodes, *self.inner, *(dim.text for dim in self.dims), "L", "G", "f", *but}
        for letter in letters:
            if letter not in taken:
                return letter
        number = 1
        while f"{letters[0]}{number}" in taken:
            number += 1
        return f"{letters[0]}{number}"

    def floats(self):
        """Names of values that may be differentiated by, newest last."""
        return [name for name, given in self.inputs.items() if given.kind == "float"] + list(self.nodes)

    def add_input(self, given):
        self.take(given.name)
        self.inputs[given.name] = given
        if given.kind != "float" or self.literal:
            self.exact.add(given.name)
        return given.name

    def add(self, node):
        self.take(node.name)
        self.nodes[node.name] = node
        if node.exact and all(operand in self.exact for operand in node.operands):
            self.exact.add(node.name)
        return node.name

    def take(self, name):
        """A name means one value: it is drawn (`fresh`) after the inputs that a definition adds."""
        if name in self.inputs or name in self.nodes or name in self.inner:
            raise AssertionError(f"{self.seed}: two values of the name {name}")

    # Evaluation

    def draw(self, seed=None):
        """The inputs' numbers, drawn in the order of the file from PyTorch's generator, as the file's would be."""
        torch.manual_seed(self.seed if seed is None else seed)
        dtype = torch.float32 if self.dtype == "f32" else torch.float64
        drawn = {name: given.draw(dtype) for name, given in self.inputs.items()}
        if self.ending == "given":
            shape = [dim.size for dim in self.dims_of(self.output)]
            drawn["G"] = torch.randn(shape, dtype=dtype)
        return drawn

    def run(self, inputs, dtype=torch.float64, held=None, differentiable=False):
        """Evaluates; `held` replaces definitions by numbers, so that one can differentiate by them."""
        before, E.computed = E.computed, dtype
        values, texts = {}, {}
        for name, given in self.inputs.items():
            number = inputs[name]
            if number.is_floating_point():
                number = number.to(dtype)
                number = number.detach().requires_grad_(differentiable and given.kind == "float")
            values[name] = E(name, number)
        for name, node in self.nodes.items():
            if held and name in held:
                values[name] = E(name, held[name])
                continue
            made = node.forward(*(values[operand] for operand in node.operands))
            values[name], texts[name] = E(name, made.value), made.text
        loss = self.loss(values, inputs)
        E.computed = before
        return Run(values, texts, loss)

    def loss(self, values, inputs):
        """The scalar whose gradients are claimed; where a cotangent is given, its product with the output."""
        y = values[self.output]
        match self.ending:
            case "given":
                return E("", (y.value * inputs["G"].to(y.value.dtype)).sum())
            case "square":
                return total(y**2)
            case _:
                return total(y)

    def gradients(self, run):
        """What autograd says, by name; nothing for a value on which the loss does not depend."""
        names = [name for name in self.floats() if run.values[name].value.requires_grad]
        by = torch.autograd.grad(run.loss.value, [run.values[name].value for name in names], retain_graph=True, allow_unused=True)
        return {name: gradient for name, gradient in zip(names, by) if gradient is not None}

    def used(self):
        """Names that the output depends on."""
        seen, waiting = set(), [self.output]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(self.nodes[name].operands if name in self.nodes else ())
        return seen

    def prune(self):
        """Leaves out what the output does not depend on, and what is not stated beside that."""
        used = self.used()
        used |= {node.beside for name, node in self.nodes.items() if name in used and node.beside}
        self.inputs = {name: given for name, given in self.inputs.items() if name in used}
        self.nodes = {name: node for name, node in self.nodes.items() if name in used}

    def is_bound(self):
        """Whether each size that has a name gets it from an input above its use."""
        bound = set()
        for given in self.inputs.values():
            if given.classes and given.classes.text.isalpha() and given.classes.text not in bound:
                return False
            bound |= {dim.text for dim in given.dims}
        used = {dim.text for node in self.nodes.values() for dim in node.dims}
        return all(name in bound for name in used if name.isalpha())

    # Text

    def header(self, inputs, texts):
        """The file up to its claims: `texts` are those of a run."""
        lines = [f"seed {self.seed}"]
        if self.dtype == "f32":
            lines.append("dtype f32")
        lines += self.functions
        bound = set()
        for given in self.inputs.values():
            lines.append(f"{given.name}: {self.shape(given.dims, bound)} {given.how(inputs[given.name])}")
        for name, node in self.nodes.items():
            if not node.beside:
                lines.append(node.statement or f"{name} = {texts[name]}")
        match self.ending:
            case "given":
                lines.append(f"dL/d{self.output}: {self.shape(self.dims_of(self.output), bound)} ~ randn")
            case "square":
                lines.append(f"L = sum({self.output}^2)")
            case _:
                lines.append(f"L = sum({self.output})")
        return lines

    def shape(self, dims, bound):
        parts = []
        for dim in dims:
            if dim.text.isalpha() and dim.text not in bound:
                bound.add(dim.text)
                parts.append(f"{dim.text}={dim.size}")
            else:
                parts.append(dim.text)
        return "[" + ", ".join(parts) + "]"
