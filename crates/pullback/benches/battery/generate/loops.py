"""Definitions that run step by step, and functions of several statements."""

import torch

from expression import *
from operands import *
from program import Node


def inner(p, letters, *but):
    """A name that a loop has for itself."""
    name = p.fresh(letters, *but)
    p.inner.add(name)
    return name


def recurrent(p):
    """A small recurrent cell over the rows of a value: what its last step leaves, or what each of them does."""
    x = value(p, 2, lambda dims: two(dims) and plain(dims))
    if not x:
        return None
    steps, d = p.dims_of(x)
    n = p.rng.choice(p.dims)
    start, u, w = fresh_input(p, [n]), fresh_input(p, [d, n]), fresh_input(p, [n, n])
    all_steps = p.rng.random() < 0.6
    name = p.fresh("hsr")
    t = inner(p, "tij", name)
    carry = inner(p, "hsr", name, t) if all_steps else name
    kind = p.rng.choice(["tanh", "gated", "backwards"])
    row = f"{x}[{steps.text} - 1 - {t}]" if kind == "backwards" else f"{x}[{t}]"
    step = f"tanh({row} @ {u} + {carry} @ {w})"
    body = f"{carry} = 0.5 * {carry} + 0.5 * {step}" if kind == "gated" else f"{carry} = {step}"
    arrow = f" -> {name}" if all_steps else ""
    statement = f"scan {t} < {steps.text}, {carry} = {start}{arrow} {{\n  {body}\n}}"

    def forward(x, h, u, w):
        rows, made, h = x.value, [], h.value
        for at in range(steps.size):
            new = torch.tanh(rows[steps.size - 1 - at if kind == "backwards" else at] @ u.value + h @ w.value)
            h = 0.5 * h + 0.5 * new if kind == "gated" else new
            made.append(h)
        return E("", torch.stack(made) if all_steps else h)

    dims = [steps, n] if all_steps else [n]
    return p.add(Node(name, [x, start, u, w], dims, forward, None, statement=statement))


def moving_average(p):
    """What each step leaves of the one before: its rule is a loop from the other end, a product with a triangle."""
    x = value(p, 2, lambda dims: two(dims) and plain(dims))
    if not x:
        return None
    steps, d = p.dims_of(x)
    name = p.fresh("sy")
    t = inner(p, "tij", name)
    carry = inner(p, "msh", name, t)
    zeros_text = f"zeros({d.text})"
    statement = f"scan {t} < {steps.text}, {carry} = {zeros_text} -> {name} {{\n  {carry} = 0.5 * {carry} + {x}[{t}]\n}}"

    def triangle():
        at = torch.arange(steps.size)
        made = torch.tril(0.5 ** (at[:, None] - at).to(E.computed))
        count = f"arange({steps.text})"
        return E(f"tril(0.5^({count}[:, None] - {count}))", made)

    forward = lambda x: E("", triangle().value @ x.value)
    return p.add(Node(name, [x], [steps, d], forward, lambda g, y, x: [triangle().T @ g], statement=statement))


def two_carries(p):
    """Two values that go on together, a sum and what it has come to so far."""
    x = value(p, 1, lambda dims: not dims[0].is_one() and plain(dims))
    if not x:
        return None
    steps = p.dims_of(x)[0]
    start = value(p, 0) or fresh_input(p, [])
    name = p.fresh("sy")
    t = inner(p, "tij", name)
    sum_of = inner(p, "ch", name, t)
    decay = inner(p, "dk", name, t)
    body = f"{sum_of} = {decay} * {sum_of} + {x}[{t}]\n  {decay} = cos({sum_of}) / 2"
    statement = f"scan {t} < {steps.text}, {sum_of} = {start}, {decay} = 1/2 -> {name}, _ {{\n  {body}\n}}"

    def forward(x, start):
        s, d, made = start.value, torch.full_like(start.value, 0.5), []
        for row in x.value.unbind(0):
            s = d * s + row
            d = torch.cos(s) / 2
            made.append(s)
        return E("", torch.stack(made))

    return p.add(Node(name, [x, start], [steps], forward, None, statement=statement))


def recurrence(p):
    """A linear recurrence, by its name."""
    x = value(p, 1, lambda dims: not dims[0].is_one())
    if not x:
        return None
    dims = p.dims_of(x)
    factor = p.add(Node(p.fresh("a"), [x], dims, lambda x: 0.8 * sin(x), lambda g, y, x: [0.8 * g * cos(x)]))
    b = value(p, 1, lambda other: other == dims)

    def compute(a, b):
        made = [b[0]]
        for at in range(1, len(b)):
            made.append(a[at] * made[-1] + b[at])
        return torch.stack(made)

    return p.add(Node(p.fresh("sy"), [factor, b], dims, written_by("linear_recurrence", compute), None))


def function_of_statements(p):
    """A function with a body, a default and several results."""
    x = value(p, 1, lambda dims: not dims[0].is_one())
    if not x:
        return None
    dims = p.dims_of(x)
    definition = "fn normal(a, eps=0.1) {\n  d = a - mean(a)\n  s = sqrt(mean(d^2) + eps)\n  (d / s, sum(d^3))\n}"
    if definition not in p.functions:
        p.functions.append(definition)
    first = p.fresh("zny")
    second = p.fresh("srq", first)
    size = lambda x: (((x - x.mean()) ** 2).mean() + 0.1).sqrt()
    spread_of = lambda x: sqrt(E(f"var({x.text})", x.value.var(correction=0)) + 0.1)
    normal = lambda x: E("", (x.value - x.value.mean()) / size(x.value))
    rule = lambda g, y, x: [(g - mean(g) - y * mean(g * y)) / spread_of(x)]
    p.add(Node(first, [x], dims, normal, rule, statement=f"{first}, {second} = normal({x})"))
    third = lambda x: E("", ((x.value - x.value.mean()) ** 3).sum())
    back = lambda g, y, x: [3 * g * ((x - mean(x)) ** 2 - mean((x - mean(x)) ** 2))]
    p.add(Node(second, [x], [], third, back, beside=first))
    return first
