"""Definitions that make one number of many, along axes, and such as order the elements of an axis."""

import torch

from expression import *
from operands import *
from program import Node


def reduction(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    return reduced_by(p, p.rng.choice(["sum", "mean", "max", "min", "logsumexp"]), x, axes_of(p, dims))


def reduced_by(p, way, x, axes):
    dims, keep = p.dims_of(x), p.rng.random() < 0.4
    left = [ONE if axis in axes else dim for axis, dim in enumerate(dims) if keep or axis not in axes]
    shown = None if len(axes) == len(dims) and p.rng.random() < 0.7 else axes
    name = p.fresh("msy")
    match way:
        case "sum":
            return p.add(Node(name, [x], left, lambda x: total(x, shown, keep), lambda g, y, x: [spread(g, dims, axes, keep)]))
        case "mean":
            count = product(dims[axis] for axis in axes)
            rule = lambda g, y, x: [spread(g, dims, axes, keep) / count]
            return p.add(Node(name, [x], left, lambda x: mean(x, shown, keep), rule))
        case "max":
            rule = lambda g, y, x: [spread(g, dims, axes, keep) * tie_share(x, shown)]
            return p.add(Node(
                name, [x], left, lambda x: largest(x, shown, keep), rule, gap=gaps_of_max(axes), exact=True))
        case "min":
            rule = lambda g, y, x: [spread(g, dims, axes, keep) * tie_share(-x, shown)]
            gap = lambda x: gaps_of_max(axes)(-x)
            return p.add(Node(name, [x], left, lambda x: smallest(x, shown, keep), rule, gap=gap, exact=True))
        case _:
            rule = lambda g, y, x: [spread(g, dims, axes, keep) * exp(x - spread(y, dims, axes, keep))]
            return p.add(Node(name, [x], left, lambda x: logsumexp(x, shown, keep), rule))


def softmax_op(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    return softmax_along(p, x, p.rng.randrange(len(p.dims_of(x))))


def softmax_along(p, x, axis):
    rule = lambda g, y, x: [y * (g - total(g * y, [axis], keep=True))]
    return p.add(Node(p.fresh("pa"), [x], p.dims_of(x), lambda x: softmax(x, axis), rule))


def running_sum(p):
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and not dims[0].is_one())
    if not x:
        return None
    forward = written_by("cumsum", lambda v: v.cumsum(0))
    back = lambda g: E(f"{g.within(ATOM)}[::-1]", g.value.flip(0))
    return p.add(Node(p.fresh("sy"), [x], p.dims_of(x), forward, lambda g, y, x: [back(forward(back(g)))]))


smallest = reduced("amin", lambda v, axes, keep: torch.amin(v, axes, keepdim=keep))


def deviation(p):
    """The variance or the standard deviation along an axis, divided by n or by n - 1."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    axis = p.rng.randrange(len(dims))
    n, keep, correction = dims[axis], p.rng.random() < 0.5, p.rng.choice([0, 1])
    if n.size <= 1:
        return None
    left = [ONE if at == axis else dim for at, dim in enumerate(dims) if keep or at != axis]
    root = p.rng.random() < 0.5
    compute = lambda v: (v.std if root else v.var)(axis, correction=correction, keepdim=keep)
    keywords = axes_text([axis], keep) + (", correction=1" if correction else "")
    divisor = product([n]) - correction if correction else product([n])

    def rule(g, y, x):
        centred, g = x - mean(x, [axis], keep=True), spread(g, dims, [axis], keep)
        return [centred * g / divisor / spread(y, dims, [axis], keep) if root else 2 * centred * g / divisor]

    gap = (lambda x: x.std(axis, correction=0).flatten()) if root else None
    return p.add(Node(
        p.fresh("vmsy"), [x], left, written_by("std" if root else "var", compute, keywords), rule, gap=gap, jumps=root))


def norm(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    every = tuple(range(len(dims)))
    axes = every if p.rng.random() < 0.5 else (p.rng.randrange(len(dims)),)
    keep = p.rng.random() < 0.4
    left = [ONE if axis in axes else dim for axis, dim in enumerate(dims) if keep or axis not in axes]
    order = p.rng.choice([1, 2, 2, 3, "fro" if len(axes) == 2 else 2])
    ordinal = 2 if order == "fro" else order
    compute = lambda v: torch.linalg.vector_norm(v, ordinal, axes, keepdim=keep)
    p_text = {2: "", "fro": ', p="fro"'}.get(order, f", p={order}")
    keywords = p_text + axes_text(None if axes == every and p.rng.random() < 0.6 else axes, keep)

    def rule(g, y, x):
        g, y = spread(g, dims, axes, keep), spread(y, dims, axes, keep)
        return [{1: lambda: g * sign(x), 2: lambda: g * x / y, 3: lambda: g * x * absolute(x) / y**2}[ordinal]()]

    size = lambda x: torch.linalg.vector_norm(x, ordinal, axes).flatten()
    gap = away(0) if ordinal == 1 else size
    return p.add(Node(p.fresh("nry"), [x], left, written_by("norm", compute, keywords), rule, gap=gap, jumps=ordinal != 1))


def product_of_elements(p):
    """A product, zeros among the factors or not: what divides by them fails there."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    axis = p.rng.randrange(len(dims))
    # Products of products come to numbers that 16 bits do not have.
    if dims[axis].size > 4 or "product" in p.drawn:
        return None
    p.drawn.add("product")
    left = [dim for at, dim in enumerate(dims) if at != axis]
    forward = written_by("prod", lambda v: torch.prod(v, axis), f", axis={axis}")
    return p.add(Node(p.fresh("py"), [x], left, forward, None))


def running(p):
    """Sums, products and maxima of all that came before."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2))
    if not x:
        return None
    dims = p.dims_of(x)
    axis = p.rng.randrange(len(dims))
    name, keywords = p.fresh("sy"), f", axis={axis}"
    backwards = lambda v: v.flip(axis).cumsum(axis).flip(axis)
    sums, back = written_by("cumsum", lambda v: v.cumsum(axis), keywords), written_by("cumsum", backwards, keywords + ", reverse=true")
    match p.rng.choice(["sum", "reverse", "product", "maximum", "minimum", "logsumexp"]):
        case "sum":
            return p.add(Node(name, [x], dims, sums, lambda g, y, x: [back(g)]))
        case "reverse":
            return p.add(Node(name, [x], dims, back, lambda g, y, x: [sums(g)]))
        case "product":
            if dims[axis].size > 4 or "product" in p.drawn:
                return None
            p.drawn.add("product")
            return p.add(Node(name, [x], dims, written_by("cumprod", lambda v: v.cumprod(axis), keywords), None))
        case "logsumexp":
            forward = written_by("logcumsumexp", lambda v: v.logcumsumexp(axis), keywords)
            return p.add(Node(name, [x], dims, forward, None))
        case way:
            called, compute = {"maximum": ("cummax", torch.cummax), "minimum": ("cummin", torch.cummin)}[way]
            forward = written_by(called, lambda v: compute(v, axis).values, keywords)
            # Of equal ones PyTorch takes the last, and a maximum shares.
            return p.add(Node(name, [x], dims, forward, None, gap=apart_along(axis), jumps=True, exact=True))


def ranked(p):
    """Elements by their rank: all of them in order, the largest, the one in the middle, a quantile."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and dims[-1].size > 1)
    if not x:
        return None
    dims = p.dims_of(x)
    axis = len(dims) - 1
    name, size = p.fresh("sqy"), dims[axis].size
    gap = apart_along(axis)
    in_order = lambda v, down=False: torch.sort(v, dim=axis, descending=down, stable=True).values
    match p.rng.choice(["sort", "sort", "topk", "median", "quantile", "kth"]):
        case "sort":
            down = p.rng.random() < 0.5
            keywords = ", descending=true" if down else ""
            ranks = lambda v: torch.argsort(torch.argsort(v, dim=axis, descending=down, stable=True), axis)
            rule = lambda g, y, x: [E(
                f"take_along_axis({g.text}, argsort(argsort({x.text}{keywords})))", torch.take_along_dim(g.value, ranks(x.value), axis))]
            forward = lambda x: E("", in_order(x.value, down))
            statement = f"{name}, _ = sort({x}{keywords})"
            return p.add(Node(name, [x], dims, forward, rule, statement=statement, gap=gap, exact=True))
        case "topk":
            k = p.rng.randint(1, size)
            forward = lambda x: E("", in_order(x.value, True).narrow(axis, 0, k))
            statement = f"{name}, _ = topk({x}, {k})"
            return p.add(Node(name, [x], [*dims[:-1], Dim(k)], forward, None, statement=statement, gap=gap, exact=True))
        case "kth":
            k = p.rng.randint(1, size)
            forward = lambda x: E("", in_order(x.value).select(axis, k - 1))
            statement = f"{name}, _ = kthvalue({x}, {k})"
            return p.add(Node(name, [x], dims[:-1], forward, None, statement=statement, gap=gap, exact=True))
        case way:
            q = 0.5 if way == "median" else p.rng.choice([0.25, 0.4, 0.9])
            at = q * (size - 1)
            low = int(at)
            high = min(low + 1, size - 1)

            def compute(v):
                v = in_order(v)
                return v.select(axis, low) + (at - low) * (v.select(axis, high) - v.select(axis, low))

            keywords = f", axis={axis}" if way == "median" else f", {q}, axis={axis}"
            return p.add(Node(name, [x], dims[:-1], written_by(way, compute, keywords), None, gap=gap))


def log_softmax_op(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    axis = p.rng.randrange(len(p.dims_of(x)))
    forward = written_by("log_softmax", lambda v: torch.log_softmax(v, axis), f", axis={axis}")
    rule = lambda g, y, x: [g - exp(y) * total(g, [axis], keep=True)]
    return p.add(Node(p.fresh("la"), [x], p.dims_of(x), forward, rule))
