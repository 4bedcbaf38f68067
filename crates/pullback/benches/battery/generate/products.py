"""Definitions that multiply values: matrices, vectors, batches of them, and convolutions of rows."""

import torch
import torch.nn.functional as F

from expression import *
from operands import *
from program import Node


def linear(p):
    """`X @ W`, perhaps in index notation with a bias."""
    x = value(p, 2, two)
    if not x:
        return None
    inner, out = p.dims_of(x)[1], p.rng.choice(p.dims)
    w = value(p, 2, lambda dims: dims[0] == inner and two(dims)) if p.rng.random() < 0.3 else None
    w = w or fresh_input(p, [inner, out])
    dims = [p.dims_of(x)[0], p.dims_of(w)[1]]
    b = fresh_input(p, [dims[1]]) if p.rng.random() < 0.3 else None
    name = p.fresh("zyao")
    if b:
        statement = f"{name}[i,j] = {x}[i,k] * {w}[k,j] + {b}[j]"
        rule = lambda g, y, x, w, b: [g @ w.T, x.T @ g, total(g, [0])]
        return p.add(Node(name, [x, w, b], dims, lambda x, w, b: x @ w + b, rule, statement=statement))
    if p.rng.random() < 0.25:
        rule = lambda g, y, x, w: [einsum("ij,kj->ik", g, w), einsum("ik,ij->kj", x, g)]
        return p.add(Node(name, [x, w], dims, lambda x, w: einsum("ik,kj->ij", x, w), rule))
    return p.add(Node(name, [x, w], dims, lambda x, w: x @ w, lambda g, y, x, w: [g @ w.T, x.T @ g]))


def gram(p):
    """A product of a value with itself: both factors carry a share."""
    x = value(p, 2, two)
    if not x:
        return None
    dims = [p.dims_of(x)[0]] * 2
    return p.add(Node(p.fresh("ka"), [x], dims, lambda x: x @ x.T, lambda g, y, x: [(g + g.T) @ x]))


def matrix_vector(p):
    x = value(p, 2, two)
    if not x:
        return None
    v = value(p, 1, lambda dims: dims[0] == p.dims_of(x)[1]) or fresh_input(p, [p.dims_of(x)[1]])
    rule = lambda g, y, x, v: [outer(g, v), x.T @ g]
    return p.add(Node(p.fresh("vay"), [x, v], [p.dims_of(x)[0]], lambda x, v: x @ v, rule))


def batched(p):
    """Matrix products with a leading axis."""
    x = value(p, 3, lambda dims: two(dims[1:]))
    if not x:
        x = fresh_input(p, [p.rng.choice(p.dims) for _ in range(3)])
    batch, rows, inner = p.dims_of(x)
    w = fresh_input(p, [batch, inner, p.rng.choice(p.dims)])
    dims = [batch, rows, p.dims_of(w)[2]]
    rule = lambda g, y, x, w: [g @ permute(w, [0, 2, 1]), permute(x, [0, 2, 1]) @ g]
    return p.add(Node(p.fresh("sya"), [x, w], dims, lambda x, w: x @ w, rule))


def outer_product(p):
    a = value(p, 1)
    if not a:
        return None
    b = value(p, 1) if p.rng.random() < 0.6 else fresh_input(p, [p.rng.choice(p.dims)])
    dims = [*p.dims_of(a), *p.dims_of(b)]
    return p.add(Node(p.fresh("oy"), [a, b], dims, outer, lambda g, y, a, b: [g @ b, g.T @ a]))


def dot(p):
    a = value(p, 1)
    if not a:
        return None
    b = value(p, 1, lambda dims: dims == p.dims_of(a)) if p.rng.random() < 0.6 else fresh_input(p, p.dims_of(a))
    return p.add(Node(p.fresh("csd"), [a, b], [], lambda a, b: a @ b, lambda g, y, a, b: [g * b, g * a]))


def kronecker(p):
    a = value(p, 2, lambda dims: two(dims) and product_of(d.size for d in dims) <= 9)
    if not a or p.named:
        return None
    b = fresh_input(p, [Dim(2), Dim(p.rng.choice([2, 3]))])
    (rows, columns), (inner, outermost) = p.dims_of(a), p.dims_of(b)
    dims = [Dim(rows.size * inner.size), Dim(columns.size * outermost.size)]
    blocks = [rows, inner, columns, outermost]
    rule = lambda g, y, a, b: [
        einsum("ikjl,kl->ij", reshape(g, blocks), b), einsum("ikjl,ij->kl", reshape(g, blocks), a)]
    return p.add(Node(p.fresh("ky"), [a, b], dims, kron, rule))


def convolution(p):
    width, filters, channels = p.rng.choice([1, 2, 3]), p.rng.choice([1, 2]), p.rng.choice([1, 2, 3])
    padding = p.rng.randint(0, width - 1)
    length = width + p.rng.randint(0, 4)
    x = fresh_input(p, [Dim(p.rng.choice([1, 2])), Dim(channels), Dim(length)])
    w = fresh_input(p, [Dim(filters), Dim(channels), Dim(width)])
    dims = [p.dims_of(x)[0], Dim(filters), Dim(length + 2 * padding - width + 1)]
    flipped = lambda w: E(f"{w.within(ATOM)}[:, :, ::-1]", w.value.flip(2))
    swapped = lambda v: permute(v, [1, 0, 2])
    rule = lambda g, y, x, w: [
        conv(g, swapped(flipped(w)), padding=width - 1 - padding),
        swapped(conv(swapped(x), swapped(g), padding=padding))]
    return p.add(Node(p.fresh("zy"), [x, w], dims, lambda x, w: conv(x, w, padding=padding), rule))


def three_factors(p):
    """One `einsum` of three operands."""
    x = value(p, 2, two)
    if not x:
        return None
    rows, inner = p.dims_of(x)
    w = fresh_input(p, [inner, p.rng.choice(p.dims)])
    v = fresh_input(p, [p.dims_of(w)[1]])
    spec = lambda text: lambda *operands: einsum(text, *operands)
    rule = lambda g, y, x, w, v: [
        spec("i,jk,k->ij")(g, w, v), spec("ij,i,k->jk")(x, g, v), spec("ij,jk,i->k")(x, w, g)]
    return p.add(Node(p.fresh("vye"), [x, w, v], [rows], spec("ij,jk,k->i"), rule))


def added_product(p):
    """A product added to a value, by the names of PyTorch for it."""
    x = value(p, 2, two)
    if not x:
        return None
    w = fresh_input(p, [p.dims_of(x)[1], p.rng.choice(p.dims)])
    dims = [p.dims_of(x)[0], p.dims_of(w)[1]]
    c = value(p, 2, lambda other: other == dims) or fresh_input(p, dims)
    forward = written_by("addmm", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), ", beta=0.5, alpha=2")
    return p.add(Node(p.fresh("zys"), [c, x, w], dims, forward, lambda g, y, c, a, b: [0.5 * g, 2 * g @ b.T, 2 * a.T @ g]))


def cross_product(p):
    fits = lambda dims: len(dims) > 0 and dims[-1].size == 3
    a = value(p, fits=fits)
    if not a:
        return None
    b = value(p, fits=lambda dims: dims == p.dims_of(a)) if p.rng.random() < 0.5 else fresh_input(p, p.dims_of(a))
    cross = written_by("cross", lambda a, b: torch.linalg.cross(a, b))
    return p.add(Node(p.fresh("cv"), [a, b], p.dims_of(a), cross, lambda g, y, a, b: [cross(b, g), cross(g, a)]))
