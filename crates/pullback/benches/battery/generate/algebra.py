"""Definitions of linear algebra: inverses, determinants, factors and functions of matrices, where they are well-conditioned."""

import torch

from expression import *
from operands import *
from program import Node


def positive_definite(p, x, apart=False):
    """A symmetric positive definite matrix that is made of a value; `apart`: of which no two eigenvalues are the same."""
    n = p.dims_of(x)[0]
    added = (lambda: diag(1 + arange(n))) if apart else (lambda: 2 * eye(n))
    forward = lambda x: x @ x.T / 4 + added()
    return p.add(Node(p.fresh("ae"), [x], [n, n], forward, lambda g, y, x: [(g + g.T) @ x / 4]))


def inverse(p):
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = positive_definite(p, x)
    if p.rng.random() < 0.5:
        return p.add(Node(p.fresh("b"), [a], [n, n], inv, lambda g, y, a: [-y.T @ g @ y.T]))
    b = value(p, 1, lambda dims: dims[0] == n) or fresh_input(p, [n])
    rule = lambda g, y, a, b: [-outer(solve(a.T, g), y), solve(a.T, g)]
    return p.add(Node(p.fresh("s"), [a, b], [n], solve, rule))


def log_determinant(p):
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = positive_definite(p, x)
    forward = lambda a: call("logdet", lambda v: torch.linalg.slogdet(v)[1], a)
    return p.add(Node(p.fresh("dl"), [a], [], forward, lambda g, y, a: [g * inv(a).T]))


def square(p):
    """A small square matrix: one that there is, or an input."""
    x = value(p, 2, lambda dims: dims[0] == dims[1] and dims[0].size < 5 and plain(dims))
    small = [dim for dim in p.dims if dim.size < 5]
    return x if x or not small else fresh_input(p, [p.rng.choice(small)] * 2)


def determinant(p):
    """A determinant, or the logarithm of its size; of a matrix that is far from singular."""
    x = square(p)
    if not x:
        return None
    name = p.fresh("dl")
    gap = lambda x: torch.linalg.det(x).abs().reshape(1)
    match p.rng.choice(["det", "slogdet", "shifted"]):
        case "det":
            forward = written_by("det", torch.linalg.det)
            return p.add(Node(name, [x], [], forward, lambda g, y, x: [g * y * inv(x).T], gap=gap, jumps=True))
        case "slogdet":
            forward = lambda x: E("", torch.linalg.slogdet(x.value)[1])
            rule = lambda g, y, x: [g * inv(x).T]
            return p.add(Node(name, [x], [], forward, rule, statement=f"_, {name} = slogdet({x})", gap=gap, jumps=True))
        case _:
            n = p.dims_of(x)[0]
            forward = lambda x: call("det", torch.linalg.det, x + 3 * eye(n))
            return p.add(Node(name, [x], [], forward, None))


def factored(p):
    """A Cholesky factor, and what is solved with it."""
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = positive_definite(p, x)
    l = p.add(Node(p.fresh("lr"), [a], [n, n], written_by("cholesky", torch.linalg.cholesky), None))
    if p.rng.random() < 0.4:
        return l
    b = value(p, 1, lambda dims: dims[0] == n) or fresh_input(p, [n])
    lower = lambda l, b: torch.linalg.solve_triangular(l, b[:, None], upper=False)[:, 0]
    upper = lambda l, b: torch.linalg.solve_triangular(l, b[:, None], upper=True)[:, 0]
    back = written_by("solve_triangular", upper, ", upper=true")
    half = written_by("tril", torch.tril)
    rule = lambda g, y, l, b: [-half(outer(back(l.T, g), y)), back(l.T, g)]
    return p.add(Node(p.fresh("sy"), [l, b], [n], written_by("solve_triangular", lower, ", upper=false"), rule))


# What two results of a factorisation make, whose signs and order do not matter: in the file a function of several statements.
FACTORISATIONS = {
    "projector": ("fn projector(a) { q, _ = qr(a); q @ q.T }", lambda v: (lambda q: q @ q.mT)(torch.linalg.qr(v)[0]), "tall"),
    "corners": ("fn corners(a) { _, r = qr(a); log(abs(diag(r))) }", lambda v: torch.linalg.qr(v)[1].diagonal().abs().log(), "tall"),
    "root": (
        "fn root(a) { w, v = eigh(a); v @ diag(sqrt(w)) @ v.T }",
        lambda v: (lambda w, u: u @ torch.diag(w.sqrt()) @ u.mT)(*torch.linalg.eigh(v)), "spd"),
    "spectrum": ("", torch.linalg.eigvalsh, "spd"),
    "singular": ("", torch.linalg.svdvals, "any"),
    "polar": (
        "fn polar(a) { u, s, v = svd(a); u @ v.T + sum(s) }",
        lambda v: (lambda u, s, w: u @ w + s.sum())(*torch.linalg.svd(v, full_matrices=False)), "tall"),
    "inverse": ("", torch.linalg.pinv, "tall"),
    "nuclear": ("", lambda v: torch.linalg.matrix_norm(v, "nuc"), "tall"),
}


def factorisation(p):
    """What the factors of a matrix come to: of two with the same singular values nothing is asked."""
    x = value(p, 2, lambda dims: two(dims) and plain(dims) and dims[0].size < 5)
    if not x:
        return None
    way = p.rng.choice(list(FACTORISATIONS))
    definition, compute, kind = FACTORISATIONS[way]
    if kind == "spd":
        x = positive_definite(p, x, apart=True)
    n, m = p.dims_of(x)
    if kind == "tall" and n.size < m.size:
        return None
    if definition and definition not in p.functions:
        p.functions.append(definition)
    called = {"spectrum": "eigvalsh", "singular": "svdvals", "inverse": "pinv", "nuclear": "nuclear_norm"}.get(way, way)
    dims = {
        "projector": [n, n], "corners": [m], "root": [n, n], "spectrum": [n], "polar": [n, m], "inverse": [m, n], "nuclear": [],
        "singular": [min(n, m, key=lambda dim: dim.size)]}[way]

    def gap(x):
        s = torch.linalg.svdvals(x)
        return torch.cat([s, s[:-1] - s[1:]]) / 10

    return p.add(Node(p.fresh("qsy"), [x], dims, written_by(called, compute), None, gap=gap, jumps=True))


def matrix_function(p):
    """Powers and the exponential of a small square matrix."""
    x = square(p)
    if not x:
        return None
    dims, name = p.dims_of(x), p.fresh("ey")
    power = lambda k: written_by("matrix_power", lambda v: torch.linalg.matrix_power(v, k), f", {k}")
    match p.rng.choice(["second", "third", "exp"]):
        case "second":
            return p.add(Node(name, [x], dims, power(2), lambda g, y, x: [g @ x.T + x.T @ g]))
        case "third":
            rule = lambda g, y, x: [g @ power(2)(x).T + x.T @ g @ x.T + power(2)(x).T @ g]
            return p.add(Node(name, [x], dims, power(3), rule))
        case _:
            forward = lambda x: call("expm", exponential, x / 4)
            return p.add(Node(name, [x], dims, forward, None))


def exponential(v):
    """PyTorch's, but in 16 bits, where its gradient is of another size (2.15: 10¹¹ times in bf16)."""
    if v.dtype.itemsize == 2:
        raise RuntimeError("the gradient of matrix_exp is not implemented in 16 bits")
    return torch.linalg.matrix_exp(v)


def solved(p):
    """Several right sides at once."""
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = positive_definite(p, x)
    b = value(p, 2, lambda dims: dims[0] == n and two(dims)) or fresh_input(p, [n, p.rng.choice(p.dims)])
    rule = lambda g, y, a, b: [-solve(a.T, g) @ y.T, solve(a.T, g)]
    return p.add(Node(p.fresh("sy"), [a, b], p.dims_of(b), solve, rule))


def distances(p):
    """Of all rows of one matrix from those of another."""
    x = value(p, 2, two)
    if not x:
        return None
    n, d = p.dims_of(x)
    b = fresh_input(p, [p.rng.choice(p.dims), d])
    compute = lambda a, b: torch.linalg.vector_norm(a[:, None] - b, dim=-1)
    gap = lambda a, b: compute(a, b).flatten()
    forward = written_by("cdist", compute)
    return p.add(Node(p.fresh("dy"), [x, b], [n, p.dims_of(b)[0]], forward, None, gap=gap, jumps=True))
