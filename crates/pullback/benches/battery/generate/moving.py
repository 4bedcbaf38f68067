"""Definitions that move elements and leave them as they are: aliases, slices, selections, rearrangements."""

import torch
import torch.nn.functional as F

from elementwise import UNARY
from expression import *
from operands import *
from program import Node


def alias(p):
    """Another name for the same numbers: a value of its own, whose derivative is its own."""
    x = value(p)
    dims = p.dims_of(x)
    same = lambda x: x.value.view_as(x.value)
    ways = [
        lambda x: E(x.text, same(x)), lambda x: E(x.text, same(x)),
        lambda x: reshape(x, dims), lambda x: E(f"{x.text}^1", same(x), RAISED),
    ]
    if dims:
        ways.append(lambda x: E(f"{x.text}[:]", same(x)))
        ways.append(lambda x: permute(x, list(range(len(dims)))))
    if len(dims) < 2:
        ways.append(lambda x: x.T)
    statement = None
    name = p.fresh("hgqe")
    if len(dims) == 2 and p.rng.random() < 0.15:
        statement = f"{name}[i,j] = {x}[i,j]"
    elif p.rng.random() < 0.1:
        if "fn same(a) = a" not in p.functions:
            p.functions.append("fn same(a) = a")
        ways = [lambda x: E(f"same({x.text})", same(x))]
    node = Node(name, [x], dims, p.rng.choice(ways), lambda g, y, x: [g], statement=statement, exact=True)
    return p.add(node)


def residual(p):
    """A value, and what is made of it, added: the skip is an alias of it, or it itself."""
    skip = alias(p)
    x = p.nodes[skip].operands[0]
    forward, rule = p.rng.choice([UNARY["tanh"], UNARY["sin"], UNARY["square"]])
    branch = p.add(Node(p.fresh("rf"), [skip], p.dims_of(skip), forward, lambda g, y, x, rule=rule: [rule(g, x, y)]))
    other = p.rng.choice([skip, x])
    return p.add(Node(p.fresh("ys"), [other, branch], p.dims_of(x), lambda a, b: a + b, lambda g, y, a, b: [g, g]))


def rearranged(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    name = p.fresh("vuy")
    if len(dims) == 2 and p.rng.random() < 0.4:
        return p.add(Node(name, [x], dims[::-1], lambda x: x.T, lambda g, y, x: [g.T], exact=True))
    if len(dims) == 3 and p.rng.random() < 0.5:
        order = p.rng.sample(range(3), 3)
        back = [order.index(axis) for axis in range(3)]
        moved = [dims[axis] for axis in order]
        return p.add(Node(name, [x], moved, lambda x: permute(x, order), lambda g, y, x: [permute(g, back)], exact=True))
    if not p.named:
        flat = [Dim(product_of(dim.size for dim in dims))]
        if flat == dims and dims[0].size % 2 == 0 and dims[0].size > 2:
            flat = [Dim(dims[0].size // 2), Dim(2)]
        return p.add(Node(name, [x], flat, lambda x: reshape(x, flat), lambda g, y, x: [reshape(g, dims)], exact=True))
    grown = [ONE, *dims]
    forward = lambda x: x.at("None", None)
    return p.add(Node(name, [x], grown, forward, lambda g, y, x: [g.at("0", 0)], exact=True))


def sliced(p):
    """Rows of a value: a range, perhaps backwards, or one of them."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and dims[0].size > 1 and dims[0].text.isalnum())
    if not x:
        return None
    dims = p.dims_of(x)
    n = dims[0]
    name = p.fresh("cry")
    match p.rng.choice(["tail", "head", "back", "one"]):
        case "tail":
            left, text, key = Dim(n.size - 1, f"{n.text} - 1" if p.named else None), "1:", slice(1, None)
        case "head":
            left, text, key = Dim(n.size - 1, f"{n.text} - 1" if p.named else None), ":-1", slice(None, -1)
        case "back":
            rule = lambda g, y, x: [E(f"{g.within(ATOM)}[::-1]", g.value.flip(0))]
            forward = lambda x: E(f"{x.text}[::-1]", x.value.flip(0))
            return p.add(Node(name, [x], dims, forward, rule, exact=True))
        case _:
            rule = lambda g, y, x: [scatter_add(g.at("None", None), E("[0]", torch.tensor([0])), n)]
            return p.add(Node(name, [x], dims[1:], lambda x: x.at("0", 0), rule, exact=True))
    if left.text == "1" and not p.named:
        left = ONE
    rule = lambda g, y, x: [eye(n).at(f":, {text}", (slice(None), key)) @ g]
    return p.add(Node(name, [x], [left, *dims[1:]], lambda x: x.at(text, key), rule, exact=True))


def gathered(p):
    """Rows by integer labels, some several times: an embedding."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and dims[0].text.isalnum() and not dims[0].is_one())
    if not x:
        return None
    dims = p.dims_of(x)
    index = labels(p, [p.rng.choice(p.dims)], dims[0])
    rule = lambda g, y, x, i: [scatter_add(g, i, dims[0]), None]
    return p.add(Node(p.fresh("ey"), [x, index], [p.dims_of(index)[0], *dims[1:]], gather, rule, exact=True))


def scattered(p):
    """Rows added into places by integer labels: a histogram with weights."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2))
    if not x:
        return None
    dims = p.dims_of(x)
    places = p.rng.choice(p.dims)
    index = labels(p, dims[:1], places)
    forward = lambda x, i: scatter_add(x, i, places)
    return p.add(Node(p.fresh("by"), [x, index], [places, *dims[1:]], forward, lambda g, y, x, i: [gather(g, i), None]))


def diagonal(p):
    x = value(p, 2, lambda dims: dims[0] == dims[1])
    if x and p.rng.random() < 0.6:
        n = p.dims_of(x)[0]
        if p.rng.random() < 0.5:
            return p.add(Node(p.fresh("c"), [x], [], trace, lambda g, y, x: [g * eye(n)]))
        return p.add(Node(p.fresh("v"), [x], [n], diag, lambda g, y, x: [diag(g)], exact=True))
    x = value(p, 1)
    if not x:
        return None
    n = p.dims_of(x)[0]
    return p.add(Node(p.fresh("v"), [x], [n, n], diag, lambda g, y, x: [diag(g)], exact=True))


def concatenated(p):
    """Two values, one behind the other."""
    a = value(p, fits=lambda dims: len(dims) in (1, 2) and not dims[0].is_one())
    if not a:
        return None
    dims = p.dims_of(a)
    b = value(p, len(dims), lambda other: other[1:] == dims[1:] and not other[0].is_one()) or fresh_input(p, dims)
    n, m = dims[0], p.dims_of(b)[0]
    if not (n.text.isalnum() and m.text.isalnum()):
        return None
    both = Dim(n.size + m.size, f"{n.text} + {m.text}" if p.named else None)
    forward = lambda a, b: E(f"concat([{a.text}, {b.text}], axis=0)", torch.cat([a.value, b.value], 0))
    rule = lambda g, y, a, b: [g.at(f":{n.text}", slice(None, n.size)), g.at(f"{n.text}:", slice(n.size, None))]
    return p.add(Node(p.fresh("cy"), [a, b], [both, *dims[1:]], forward, rule, exact=True))


def turned(p):
    """Elements of an axis from the other end, or moved on around it."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    axis, name = p.rng.randrange(len(dims)), p.fresh("fvy")
    if p.rng.random() < 0.4:
        flip = written_by("flip", lambda v: v.flip(axis), f", axis={axis}")
        return p.add(Node(name, [x], dims, flip, lambda g, y, x: [flip(g)], exact=True))
    shift = p.rng.choice([1, -1, 2, 5])
    roll = lambda by: written_by("roll", lambda v: v.roll(by, axis), f", {by}, axis={axis}")
    return p.add(Node(name, [x], dims, roll(shift), lambda g, y, x: [roll(-shift)(g)], exact=True))


def multiplied(p):
    """A value several times, as a whole or element by element."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and plain(dims))
    if not x:
        return None
    dims, times = p.dims_of(x), p.rng.choice([2, 3])
    n, name = dims[0], p.fresh("tyr")
    grown = [scaled(n, times), *dims[1:]]
    if p.rng.random() < 0.5:
        reps = str(times) if len(dims) == 1 else f"[{times}, 1]"
        forward = written_by("tile", lambda v: v.tile([times, *[1] * (v.ndim - 1)]), f", {reps}")
        rule = lambda g, y, x: [total(reshape(g, [Dim(times), n, *dims[1:]]), [0])]
    else:
        forward = written_by("repeat_interleave", lambda v: v.repeat_interleave(times, 0), f", {times}, axis=0")
        rule = lambda g, y, x: [total(reshape(g, [n, Dim(times), *dims[1:]]), [1])]
    return p.add(Node(name, [x], grown, forward, rule, exact=True))


def padded(p):
    """More at the edges: a number, the elements mirrored, the last one repeated, or those of the other end."""
    x = value(p, 2, lambda dims: plain(dims) and dims[1].size > 2)
    if not x:
        return None
    rows, n = p.dims_of(x)
    before, after = p.rng.randint(0, 2), p.rng.randint(0, 2)
    dims = [rows, longer(n, before + after) if before + after else n]
    mode = p.rng.choice(["constant", "reflect", "replicate", "circular"])
    number = 0.5 if mode == "constant" and p.rng.random() < 0.5 else 0
    # PyTorch mirrors the last axis of three.
    compute = lambda v: F.pad(v[None], (before, after), mode=mode, value=number if mode == "constant" else None)[0]
    keywords = f", [{before}, {after}]" + (f", value={number}" if number else "") + (f', mode="{mode}"' if mode != "constant" else "")
    rule = None
    if mode == "constant":
        rule = lambda g, y, x: [g.at(f":, {before}:{before} + {n.text}", (slice(None), slice(before, before + n.size)))]
    return p.add(Node(p.fresh("py"), [x], dims, written_by("pad", compute, keywords), rule, exact=True))


def stacked(p):
    """Two values along a new axis."""
    a = value(p, fits=lambda dims: len(dims) in (0, 1, 2))
    if not a:
        return None
    dims = p.dims_of(a)
    b = value(p, fits=lambda other: other == dims) if p.rng.random() < 0.6 else fresh_input(p, dims)
    axis = p.rng.randint(0, min(1, len(dims)))
    forward = lambda a, b: E(f"stack([{a.text}, {b.text}], axis={axis})", torch.stack([a.value, b.value], axis))
    part = lambda g, at: g.at(":, " * axis + str(at), (*[slice(None)] * axis, at))
    rule = lambda g, y, a, b: [part(g, 0), part(g, 1)]
    return p.add(Node(p.fresh("sy"), [a, b], [*dims[:axis], Dim(2), *dims[axis:]], forward, rule, exact=True))


def parts(p):
    """A value cut into several results: both go on, or one of them does."""
    x = value(p, fits=lambda dims: not p.named and len(dims) in (1, 2) and dims[0].size in (2, 3, 4, 5, 6))
    if not x:
        return None
    dims = p.dims_of(x)
    n = dims[0].size
    first = p.fresh("uabv")
    second = p.fresh("uabv", first)
    way = p.rng.choice(["split", "chunk", "unbind"])
    # Each part: where it begins, and how many rows it has, none for one row without its axis.
    if way == "unbind":
        places, call_text = [(at, None) for at in range(n)], f"unbind({x})"
    else:
        size = -(-n // 2) if way == "chunk" else p.rng.randint(-(-n // 3), -(-n // 2))
        places = [(at, min(size, n - at)) for at in range(0, n, size)]
        call_text = f"chunk({x}, 2)" if way == "chunk" else f"split({x}, {size})"
    if len(places) < 2:
        return None
    names = [first, second, *["_"] * (len(places) - 2)]

    def part(name, at, count, **more):
        left = [Dim(count) if count > 1 else ONE, *dims[1:]] if count else dims[1:]
        forward = lambda x: E("", x.value[at] if count is None else x.value[at : at + count])
        around = lambda rows: [f"zeros({', '.join(map(str, [rows, *(dim.size for dim in dims[1:])]))})"] if rows else []

        def rule(g, y, x):
            end = at + (count or 1)
            inner = [f"{g.within(ATOM)}[None]" if count is None else g.text]
            made = torch.zeros_like(x.value)
            made[at:end] = g.value
            return [E(f"concat([{', '.join(around(at) + inner + around(n - end))}], axis=0)", made)]

        return p.add(Node(name, [x], left, forward, rule, exact=True, **more))

    part(first, *places[0], statement=f"{', '.join(names)} = {call_text}")
    return part(second, *places[1], beside=first)


def taken(p):
    """Elements along an axis, each row by indices of its own."""
    x = value(p, 2, lambda dims: plain(dims) and not dims[1].is_one())
    if not x:
        return None
    rows, n = p.dims_of(x)
    index = labels(p, [rows, p.rng.choice(p.dims)], n)
    forward = lambda x, i: E(f"take_along_axis({x.text}, {i.text}, axis=1)", torch.take_along_dim(x.value, i.value, 1))
    into = lambda g, i: torch.zeros((rows.size, n.size), dtype=g.dtype).scatter_add(1, i, g)
    rule = lambda g, y, x, i: [
        E(f'scatter(zeros({rows.text}, {n.text}), 1, {i.text}, {g.text}, reduce="add")', into(g.value, i.value)), None]
    return p.add(Node(p.fresh("ey"), [x, index], p.dims_of(index), forward, rule, exact=True))


def added_by_index(p):
    """Rows of one value added to those of another."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and plain(dims) and not dims[0].is_one())
    if not x:
        return None
    dims = p.dims_of(x)
    source = value(p, len(dims), lambda other: other[1:] == dims[1:] and plain(other)) or fresh_input(p, dims)
    index = labels(p, [p.dims_of(source)[0]], dims[0])
    forward = lambda x, i, s: E(f"index_add({x.text}, 0, {i.text}, {s.text})", x.value.index_add(0, i.value, s.value))
    return p.add(Node(p.fresh("by"), [x, index, source], dims, forward, lambda g, y, x, i, s: [g, None, gather(g, i)]))


def triangle(p):
    x = value(p, 2)
    if not x:
        return None
    k = p.rng.choice([0, 0, 1, -1])
    name, compute = p.rng.choice([("tril", torch.tril), ("triu", torch.triu)])
    half = written_by(name, lambda v: compute(v, k), f", {k}" if k else "")
    return p.add(Node(p.fresh("ty"), [x], p.dims_of(x), half, lambda g, y, x: [half(g)], exact=True))


def beside_diagonal(p):
    """The diagonal beside that of a square matrix."""
    x = value(p, 2, lambda dims: dims[0] == dims[1] and dims[0].size > 2 and plain(dims))
    if not x:
        return None
    n, k = p.dims_of(x)[0], p.rng.choice([1, -1])
    left = Dim(n.size - 1, f"{n.text} - 1" if p.named else None)
    forward = written_by("diagonal", lambda v: v.diagonal(k), f", {k}")
    rule = lambda g, y, x: [call("diag", lambda v: torch.diag(v, k), g, keywords=f", {k}")]
    return p.add(Node(p.fresh("vy"), [x], [left], forward, rule, exact=True))


def filled_by_mask(p):
    """A number, or another value, where a mask says so."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    mask, name = fresh_input(p, dims, kind="mask"), p.fresh("hyk")
    if p.rng.random() < 0.5:
        forward = lambda x, m: E(f"masked_fill({x.text}, {m.text}, 0.5)", x.value.masked_fill(m.value != 0, 0.5))
        return p.add(Node(name, [x, mask], dims, forward, lambda g, y, x, m: [g * (1 - m), None], exact=True))
    other = value(p, fits=lambda there: there == dims)
    rule = lambda g, y, m, a, b: [None, g * m, g * (1 - m)]
    return p.add(Node(name, [mask, x, other], dims, chosen, rule, exact=True))


def paired(p):
    """One element of each row, by two arrays of indices that go along with each other."""
    x = value(p, 2, lambda dims: two(dims) and plain(dims))
    if not x:
        return None
    rows, classes = p.dims_of(x)
    t = labels(p, [rows], classes)
    forward = lambda x, t: E(f"{x.text}[arange({rows.text}), {t.text}]", x.value[torch.arange(rows.size), t.value])

    def rule(g, y, x, t):
        hot = E(f"one_hot({t.text}, {classes.text})", F.one_hot(t.value, classes.size).to(E.computed))
        return [g.at(":, None", (slice(None), None)) * hot, None]

    return p.add(Node(p.fresh("ly"), [x, t], [rows], forward, rule, exact=True))


def strided(p):
    """Every second row, or windows of rows that overlap."""
    x = value(p, fits=lambda dims: not p.named and len(dims) in (1, 2) and dims[0].size > 2)
    if not x:
        return None
    dims, name = p.dims_of(x), p.fresh("cy")
    n = dims[0].size
    if p.rng.random() < 0.5:
        start = p.rng.choice([0, 1])
        left = Dim(len(range(start, n, 2)))
        forward = lambda x: x.at(f"{start or ''}::2", slice(start, None, 2))
        return p.add(Node(name, [x], [left if left.size > 1 else ONE, *dims[1:]], forward, None, exact=True))
    size, step = 2, p.rng.choice([1, 2])
    left = [Dim(len(range(0, n - size + 1, step))), *dims[1:], Dim(size)]
    forward = written_by("windows", lambda v: v.unfold(0, size, step), f", 0, {size}, {step}")
    return p.add(Node(name, [x], left, forward, None, exact=True))


def narrowed(p):
    """Some columns, by a name, or the elements that a mask which is given leaves."""
    x = value(p, 2, lambda dims: not p.named and dims[1].size > 2)
    if not x:
        return None
    rows, n = p.dims_of(x)
    name = p.fresh("cy")
    if p.rng.random() < 0.6:
        start, length = p.rng.choice([0, 1]), n.size - 1
        forward = written_by("narrow", lambda v: v.narrow(1, start, length), f", 1, {start}, {length}")
        return p.add(Node(name, [x], [rows, Dim(length)], forward, None, exact=True))
    kept = [p.rng.random() < 0.5 or at == 0 for at in range(n.size)]
    mask = ", ".join("1" if keep else "0" for keep in kept)
    compute = lambda v: v[:, torch.tensor(kept)].flatten()
    count = rows.size * sum(kept)
    forward = written_by("masked_select", compute, f", [{mask}]")
    return p.add(Node(name, [x], [Dim(count)], forward, None, exact=True))


def blocks(p):
    """Two matrices in one: along the diagonal, beside each other, or vectors as its columns."""
    a = value(p, fits=lambda dims: len(dims) in (1, 2) and not p.named)
    if not a:
        return None
    dims, name = p.dims_of(a), p.fresh("ky")
    b = value(p, len(dims), lambda other: other[0] == dims[0]) if p.rng.random() < 0.5 else fresh_input(p, dims)
    if len(dims) == 1:
        forward = lambda a, b: E(f"column_stack([{a.text}, {b.text}])", torch.stack([a.value, b.value], 1))
        rule = lambda g, y, a, b: [g.at(":, 0", (slice(None), 0)), g.at(":, 1", (slice(None), 1))]
        return p.add(Node(name, [a, b], [dims[0], Dim(2)], forward, rule, exact=True))
    rows, n = (dim.size for dim in dims)
    others = [dim.size for dim in p.dims_of(b)]
    left = lambda g: g.at(f":{rows}, :{n}", (slice(None, rows), slice(None, n)))
    if p.rng.random() < 0.5:
        forward = lambda a, b: E(f"hstack([{a.text}, {b.text}])", torch.hstack([a.value, b.value]))
        rule = lambda g, y, a, b: [left(g), g.at(f":, {n}:", (slice(None), slice(n, None)))]
        return p.add(Node(name, [a, b], [dims[0], Dim(n + others[1])], forward, rule, exact=True))
    forward = lambda a, b: E(f"block_diag({a.text}, {b.text})", torch.block_diag(a.value, b.value))
    rule = lambda g, y, a, b: [left(g), g.at(f"{rows}:, {n}:", (slice(rows, None), slice(n, None)))]
    return p.add(Node(name, [a, b], [Dim(rows + others[0]), Dim(n + others[1])], forward, rule, exact=True))


def by_order(p):
    """Elements in the order of another value, or the row in which another is largest: integers that the program computes."""
    x = value(p, 1, lambda dims: plain(dims) and dims[0].size > 1)
    if not x:
        return None
    n, name = p.dims_of(x)[0], p.fresh("cy")
    w = value(p, fits=lambda dims: dims and dims[0] == n and len(dims) < 3)
    rank = len(p.dims_of(w)) - 1
    if p.rng.random() < 0.5:
        forward = lambda w, x: E(f"{w.text}[argsort({x.text})]", w.value[torch.argsort(x.value, stable=True)])
        back = lambda x: torch.argsort(torch.argsort(x.value, stable=True))
        rule = lambda g, y, w, x: [E(f"{g.within(ATOM)}[argsort(argsort({x.text}))]", g.value[back(x)]), None]
        gap = lambda w, x: apart_along(0)(x)
        return p.add(Node(name, [w, x], p.dims_of(w), forward, rule, gap=gap, jumps=True))
    forward = lambda w, x: E(f"{w.text}[argmax({x.text})]", w.value[x.value.argmax()])

    def rule(g, y, w, x):
        hot = E(f"one_hot(argmax({x.text}), {n.text})", F.one_hot(x.value.argmax(), n.size).to(E.computed))
        return [outer(hot, g) if rank else hot * g, None]

    gap = lambda w, x: gaps_of_max((0,))(x)
    return p.add(Node(name, [w, x], p.dims_of(w)[1:], forward, rule, gap=gap, jumps=True))


def fitted(p):
    """Axes made, left out and stretched."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and plain(dims))
    if not x:
        return None
    dims, name = p.dims_of(x), p.fresh("vuy")
    match p.rng.choice(["flatten", "vec", "unsqueeze", "broadcast", "movedim", "transpose", "vstack", "unflatten"]):
        case "unsqueeze":
            axis = p.rng.randint(0, len(dims))
            forward = written_by("unsqueeze", lambda v: v.unsqueeze(axis), f", {axis}")
            rule = lambda g, y, x: [call("squeeze", lambda v: v.squeeze(axis), g, keywords=f", {axis}")]
            return p.add(Node(name, [x], [*dims[:axis], ONE, *dims[axis:]], forward, rule, exact=True))
        case "broadcast":
            n = p.rng.choice(p.dims)
            to = [n, *dims]
            text = ", ".join(dim.text for dim in to)
            forward = written_by("broadcast_to", lambda v: v.expand([dim.size for dim in to]), f", [{text}]")
            # A size of 1 that is written so is stretched no further.
            return p.add(Node(name, [x], to, forward, lambda g, y, x: [total(g, [0])], exact=True))
        case "movedim" if len(dims) == 2:
            move = written_by("movedim", lambda v: v.movedim(0, 1), ", 0, 1")
            return p.add(Node(name, [x], dims[::-1], move, lambda g, y, x: [move(g)], exact=True))
        case "transpose" if len(dims) == 2:
            swap = written_by("transpose", lambda v: v.transpose(0, 1), ", 0, 1")
            return p.add(Node(name, [x], dims[::-1], swap, lambda g, y, x: [swap(g)], exact=True))
        case "unflatten" if not p.named and dims[0].size % 2 == 0:
            half = dims[0].size // 2
            forward = written_by("unflatten", lambda v: v.unflatten(0, (half, 2)), f", 0, [{half}, 2]")
            return p.add(Node(name, [x], [Dim(half), Dim(2), *dims[1:]], forward, lambda g, y, x: [reshape(g, dims)], exact=True))
        case "vstack" if len(dims) == 2:
            forward = lambda x: E(f"vstack([{x.text}, 2 * {x.text}])", torch.vstack([x.value, 2 * x.value]))
            n = dims[0]
            rule = lambda g, y, x: [
                g.at(f":{n.text}", slice(None, n.size)) + 2 * g.at(f"{n.text}:", slice(n.size, None))]
            return p.add(Node(name, [x], [scaled(n, 2), dims[1]], forward, rule, exact=True))
        case way:
            if p.named and len(dims) == 2:
                return None
            flat = [Dim(product_of(dim.size for dim in dims), dims[0].text if len(dims) == 1 else None)]
            forward = written_by("vec" if way == "vec" else "flatten", lambda v: v.flatten().view(-1))
            return p.add(Node(name, [x], flat, forward, lambda g, y, x: [reshape(g, dims)], exact=True))
