"""The definitions that programs are made of: the operations of the op table, and the idioms that people write with them.

Each function draws operands that fit from a program and adds a definition to it, or several; it returns the newest name, or
nothing where no value fits. A rule states the derivative in text, by hand: PyTorch's autograd knows nothing of it.
"""

import torch
import torch.nn.functional as F

from expression import *
from program import Input, Node


def summed_to(g, of, to):
    """A cotangent of what was stretched from `to` to `of`, summed back."""
    lead = len(of) - len(to)
    if lead:
        g = total(g, range(lead))
    stretched = [axis for axis, dim in enumerate(to) if dim.is_one() and not of[lead + axis].is_one()]
    return total(g, stretched, keep=True) if stretched else g


def spread(g, dims, axes, keep):
    """A cotangent of a reduction over `axes`, repeated along them."""
    if not keep and len(axes) < len(dims):
        text = ", ".join("None" if axis in axes else ":" for axis in range(len(dims)))
        g = g.at(text, tuple(None if axis in axes else slice(None) for axis in range(len(dims))))
    return g * ones(dims)


def stretched(a, b):
    """The shape of `a` beside `b`, or nothing where they do not go together."""
    rank = max(len(a), len(b))
    a, b = [ONE] * (rank - len(a)) + list(a), [ONE] * (rank - len(b)) + list(b)
    dims = [y if x.is_one() else x for x, y in zip(a, b)]
    fits = all(x == y or x.is_one() or y.is_one() for x, y in zip(a, b))
    return dims if fits else None


def value(p, rank=None, fits=lambda dims: True):
    """A value with so many axes; newer ones are likelier, so that programs grow deep."""
    free = [name for name in p.floats() if name not in p.masked]
    found = [name for name in free if rank in (None, len(p.dims_of(name))) and fits(p.dims_of(name))]
    if not found:
        return None
    if p.rng.random() < 0.4:
        return p.rng.choice(found)
    return found[max(p.rng.randrange(len(found)), p.rng.randrange(len(found)))]


def draw_dims(p, rank):
    return [ONE if p.rng.random() < 0.08 else p.rng.choice(p.dims) for _ in range(rank)]


def fresh_input(p, dims, kind=None, keeps=None):
    """An input of a shape: drawn by one of the distributions, or written down. `keeps`: along this axis a mask leaves one at least."""
    name = p.fresh("xwabcuvqzst")
    shape = [dim.size for dim in dims]
    if not p.literal and kind is None:
        how, draw = p.rng.choice([
            ("~ randn", lambda dtype: torch.randn(shape, dtype=dtype)),
            ("~ randn", lambda dtype: torch.randn(shape, dtype=dtype)),
            ("~ rand", lambda dtype: torch.rand(shape, dtype=dtype)),
            ("~ uniform(-1, 1)", lambda dtype: torch.empty(shape, dtype=dtype).uniform_(-1, 1)),
        ])
        return p.add_input(Input(name, dims, lambda _: how, draw))
    style = kind or p.rng.choices(["plain", "ties", "kinks", "ones", "halves"], [60, 14, 14, 4, 8])[0]
    if kind is None and style in ("ties", "kinks"):
        p.has_ties = True
    count = product_of(shape)
    pick = {
        "plain": lambda: p.rng.randint(-250, 250) / 100,
        "ties": lambda: p.rng.choice([-1.0, 0.5, 0.5, 2.0]),
        "kinks": lambda: p.rng.choice([0.0, 0.0, p.rng.randint(-20, 20) / 10]),
        "ones": lambda: 1.0,
        "halves": lambda: p.rng.randint(-6, 6) / 2,
        "mask": lambda: float(p.rng.random() < 0.7),
    }[style]
    numbers = torch.tensor([pick() for _ in range(count)], dtype=torch.float64).reshape(shape)
    if keeps is not None:
        keep_one(p.rng, numbers, keeps)
    role = "mask" if kind == "mask" else "float"
    return p.add_input(Input(name, dims, lambda v: "= " + written(v.tolist()), lambda dtype: numbers.to(dtype), role))


def keep_one(rng, mask, axis):
    """Sets one entry of each line of a matrix along an axis, where a mask leaves nothing of it."""
    size = mask.shape[axis]
    for line in mask.unbind(axis ^ 1):
        if not line.any():
            line[rng.randrange(size)] = 1.0


def product_of(sizes):
    count = 1
    for size in sizes:
        count *= size
    return count


def labels(p, dim, classes):
    """Integer labels of as many classes."""
    name = p.fresh("tlij")
    draw = lambda _: torch.randint(0, classes.size, [dim.size])
    if p.literal:
        numbers = torch.tensor([p.rng.randrange(classes.size) for _ in range(dim.size)])
        return p.add_input(Input(name, [dim], lambda v: "= " + written(v.tolist()), lambda _: numbers, "int", classes))
    return p.add_input(Input(name, [dim], lambda _: f"~ randint(0, {classes.text})", draw, "int", classes))


# Element by element


PI, TWO = E("pi", torch.tensor(torch.pi, dtype=torch.float64)), E("2", torch.tensor(2.0, dtype=torch.float64))


def smooth_relu(v):
    return F.softplus(v, threshold=1e4)


def chosen(condition, a, b):
    return E(
        f"where({condition.text}, {a.text}, {b.text})",
        torch.where(condition.value != 0, a.value, torch.as_tensor(b.value, dtype=a.value.dtype)))


def away(c):
    return lambda x: (x - c).abs().flatten()


UNARY = {
    "neg": (lambda x: -x, lambda g, x, y: -g),
    "exp": (lambda x: exp(0.5 * x), lambda g, x, y: 0.5 * g * y),
    "tanh": (tanh, lambda g, x, y: g * (1 - y**2)),
    "sigmoid": (sigmoid, lambda g, x, y: g * y * (1 - y)),
    "sin": (sin, lambda g, x, y: g * cos(x)),
    "cos": (cos, lambda g, x, y: -g * sin(x)),
    "square": (lambda x: x**2, lambda g, x, y: 2 * g * x),
    "cube": (lambda x: x**3, lambda g, x, y: 3 * g * x**2),
    "sqrt": (lambda x: sqrt(x**2 + 1), lambda g, x, y: g * x / y),
    "log": (lambda x: log(1 + x**2), lambda g, x, y: 2 * g * x / (1 + x**2)),
    "reciprocal": (lambda x: 1 / (2 + x**2), lambda g, x, y: -2 * g * x * y**2),
    "power": (lambda x: (x**2 + 1) ** -1.5, lambda g, x, y: -3 * g * x * (x**2 + 1) ** -2.5),
    "silu": (lambda x: x * sigmoid(x), lambda g, x, y: g * (sigmoid(x) + y * (1 - sigmoid(x)))),
    "scale": (lambda x: 0.5 * x, lambda g, x, y: 0.5 * g),
    "shift": (lambda x: x + 0.25, lambda g, x, y: g),
    "erf": (lambda x: call("erf", torch.erf, x), lambda g, x, y: g * 2 / sqrt(PI) * exp(-(x**2))),
    "atan": (lambda x: call("atan", torch.atan, x), lambda g, x, y: g / (1 + x**2)),
    "asinh": (lambda x: call("asinh", torch.asinh, x), lambda g, x, y: g / sqrt(1 + x**2)),
    "expm1": (lambda x: call("expm1", torch.expm1, 0.5 * x), lambda g, x, y: 0.5 * g * (y + 1)),
    "log1p": (lambda x: call("log1p", torch.log1p, x**2), lambda g, x, y: 2 * g * x / (1 + x**2)),
    "softplus-called": (lambda x: call("softplus", smooth_relu, x), lambda g, x, y: g * sigmoid(x)),
    "gelu": (
        lambda x: call("gelu", F.gelu, x),
        lambda g, x, y: g * (call("erfc", torch.erfc, -x / sqrt(TWO)) / 2 + x * exp(-(x**2) / 2) / sqrt(2 * PI))),
    "silu-called": (lambda x: call("silu", F.silu, x), lambda g, x, y: g * (sigmoid(x) + y * (1 - sigmoid(x)))),
}


def unary(p):
    x = value(p)
    name = p.fresh("yhrefp")
    forward, rule = p.rng.choice(list(UNARY.values()))
    rule = lambda g, y, x, rule=rule: [rule(g, x, y)]
    if p.rng.random() < 0.15:
        function = f"f{len(p.functions) + 1}"
        body = forward(E("a", torch.zeros(1))).text
        p.functions.append(f"fn {function}(a) = {body}")
        return p.add(Node(name, [x], p.dims_of(x), lambda x: E(f"{function}({x.text})", forward(x).value), rule))
    return p.add(Node(name, [x], p.dims_of(x), forward, rule))


def fused(text, compute):
    """An idiom whose text is a composition of kinks, and whose number is that of PyTorch's own function for it."""
    return lambda x: E(text.format(x=x.text), compute(x.value), ADDED)


CHOOSING = {
    "relu": (relu, lambda g, x: g * step(x), away(0)),
    "relu-compared": (relu, lambda g, x: g * x.compare(">", 0), away(0)),
    "abs": (absolute, lambda g, x: g * sign(x), away(0)),
    "leaky": (lambda x: relu(x) - 0.1 * relu(-x), lambda g, x: g * step(x) + 0.1 * g * step(-x), away(0)),
    "maximum": (
        lambda x: E(f"maximum({x.text}, 0.5)", torch.maximum(x.value, torch.full_like(x.value, 0.5))),
        lambda g, x: g * (x.compare(">", 0.5) + x.compare(">=", 0.5)) / 2, away(0.5)),
    "leaky-chosen": (
        lambda x: chosen(x.compare(">", 0), x, 0.1 * x), lambda g, x: chosen(x.compare(">", 0), g, 0.1 * g), away(0)),
    "softplus": (
        fused("relu({x}) + log(1 + exp(-abs({x})))", lambda v: F.softplus(v, threshold=1e4)), lambda g, x: g * sigmoid(x), None),
    "elu": (fused("relu({x}) + exp(-relu(-{x})) - 1", F.elu), lambda g, x: g * exp(-relu(-x)), None),
}


def choosing(p):
    x = value(p)
    forward, rule, gap = p.rng.choice(list(CHOOSING.values()))
    rule = lambda g, y, x, rule=rule: [rule(g, x)]
    exact = forward in (relu, absolute)
    return p.add(Node(p.fresh("rhye"), [x], p.dims_of(x), forward, rule, gap=gap, exact=exact, pieces=gap is None))


def above(p):
    """Only what is above a bound: a mask that is compared for."""
    x = value(p)
    bound = p.rng.choice([0.3, -0.7])
    forward = lambda x: x * x.compare(">", bound)
    rule = lambda g, y, x: [g * x.compare(">", bound)]
    return p.add(Node(p.fresh("kmy"), [x], p.dims_of(x), forward, rule, gap=away(bound), jumps=True))


def branches(p):
    """One of two branches, the other of which is not finite where it is not taken."""
    x = value(p)
    logarithm = lambda x: E(f"log({x.text})", torch.log(torch.where(x.value > 0.5, x.value, 1.0)))
    forward = lambda x: chosen(x.compare(">", 0.5), logarithm(x), x**2)
    rule = lambda g, y, x: [g * chosen(x.compare(">", 0.5), 1 / x, 2 * x)]
    return p.add(Node(p.fresh("hy"), [x], p.dims_of(x), forward, rule, gap=away(0.5), jumps=True))


BINARY = {
    "add": (lambda a, b: a + b, lambda g, y, a, b: [g, g]),
    "sub": (lambda a, b: a - b, lambda g, y, a, b: [g, -g]),
    "mul": (lambda a, b: a * b, lambda g, y, a, b: [g * b, g * a]),
    "div": (lambda a, b: a / (1 + b**2), lambda g, y, a, b: [g / (1 + b**2), -2 * g * y * b / (1 + b**2)]),
    "mul-functions": (lambda a, b: tanh(a) * b, lambda g, y, a, b: [g * b * (1 - tanh(a) ** 2), g * tanh(a)]),
}


def binary_op(p):
    a = value(p)
    forward, slopes = p.rng.choice(list(BINARY.values()))
    if p.rng.random() < 0.5:
        b = value(p, fits=lambda dims: stretched(p.dims_of(a), dims) is not None)
    else:
        dims = list(p.dims_of(a))
        b = fresh_input(p, [ONE if p.rng.random() < 0.2 else dim for dim in dims[p.rng.randint(0, len(dims)):]])
    if p.rng.random() < 0.5:
        a, b = b, a
    dims = stretched(p.dims_of(a), p.dims_of(b))

    def rule(g, y, a_, b_):
        to_a, to_b = slopes(g, y, a_, b_)
        return [summed_to(to_a, dims, p.dims_of(a)), summed_to(to_b, dims, p.dims_of(b))]

    return p.add(Node(p.fresh("ysz"), [a, b], dims, forward, rule))


# Products


def two(dims):
    return len(dims) == 2 and not any(dim.is_one() for dim in dims)


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


def inverse(p):
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = p.add(Node(p.fresh("ae"), [x], [n, n], lambda x: x @ x.T / 4 + 2 * eye(n), lambda g, y, x: [(g + g.T) @ x / 4]))
    if p.rng.random() < 0.5:
        return p.add(Node(p.fresh("b"), [a], [n, n], inv, lambda g, y, a: [-y.T @ g @ y.T]))
    b = value(p, 1, lambda dims: dims[0] == n) or fresh_input(p, [n])
    rule = lambda g, y, a, b: [-outer(solve(a.T, g), y), solve(a.T, g)]
    return p.add(Node(p.fresh("s"), [a, b], [n], solve, rule))


# Reductions


def axes_of(p, dims):
    if not dims:
        return None
    if p.rng.random() < 0.25:
        return tuple(range(len(dims)))
    return tuple(sorted(p.rng.sample(range(len(dims)), p.rng.randint(1, max(1, len(dims) - 1)))))


def gaps_of_max(axes):
    """How far each element that is not the largest is below it, for all of a group but one of the largest."""

    def gap(x):
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        groups = x.permute(*kept, *axes).reshape(product_of(x.shape[axis] for axis in kept), -1)
        if groups.shape[1] < 2:
            return torch.zeros(0, dtype=x.dtype)
        top = groups.topk(2, dim=1).values
        return top[:, 0] - top[:, 1]

    return gap


def reduction(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    return reduced_by(p, p.rng.choice(["sum", "mean", "max", "logsumexp"]), x, axes_of(p, dims))


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


# Elements that move


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
    index = labels(p, p.rng.choice(p.dims), dims[0])
    rule = lambda g, y, x, i: [scatter_add(g, i, dims[0]), None]
    return p.add(Node(p.fresh("ey"), [x, index], [p.dims_of(index)[0], *dims[1:]], gather, rule, exact=True))


def scattered(p):
    """Rows added into places by integer labels: a histogram with weights."""
    x = value(p, fits=lambda dims: len(dims) in (1, 2))
    if not x:
        return None
    dims = p.dims_of(x)
    places = p.rng.choice(p.dims)
    index = labels(p, dims[0], places)
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


def running_sum(p):
    x = value(p, fits=lambda dims: len(dims) in (1, 2) and not dims[0].is_one())
    if not x:
        return None
    forward = lambda x: call("cumsum", lambda v: v.cumsum(0), x)
    back = lambda g: E(f"{g.within(ATOM)}[::-1]", g.value.flip(0))
    return p.add(Node(p.fresh("sy"), [x], p.dims_of(x), forward, lambda g, y, x: [back(forward(back(g)))]))


def log_determinant(p):
    x = value(p, 2, two)
    if not x:
        return None
    n = p.dims_of(x)[0]
    a = p.add(Node(p.fresh("ae"), [x], [n, n], lambda x: x @ x.T / 4 + 2 * eye(n), lambda g, y, x: [(g + g.T) @ x / 4]))
    forward = lambda a: call("logdet", lambda v: torch.linalg.slogdet(v)[1], a)
    return p.add(Node(p.fresh("dl"), [a], [], forward, lambda g, y, a: [g * inv(a).T]))


def layer_normalised(p):
    """LayerNorm by its name, with the rule that people know."""
    x = value(p, 2, two)
    if not x:
        return None
    dims = p.dims_of(x)
    forward = lambda x: E(f"layer_norm({x.text}, eps=0.1)", F.layer_norm(x.value, (dims[1].size,), eps=0.1))

    def rule(g, y, x):
        size = sqrt(E(f"var({x.text}, axis=1, keepdims=true)", x.value.var(1, correction=0, keepdim=True)) + 0.1)
        return [(g - mean(g, [1], keep=True) - y * mean(g * y, [1], keep=True)) / size]

    return p.add(Node(p.fresh("ny"), [x], dims, forward, rule))


# Masks, and what training is made of


def dropout(p):
    """Some elements left out by a mask of 0 and 1, the others scaled up."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    mask = fresh_input(p, p.dims_of(x), kind="mask")
    rule = lambda g, y, x, m: [g * m / 0.8, None]
    return p.add(Node(p.fresh("dy"), [x, mask], p.dims_of(x), lambda x, m: x * m / 0.8, rule))


def compared_mask(p):
    """A mask by a comparison of another mask: exact, whatever the precision."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    mask = fresh_input(p, p.dims_of(x), kind="mask")
    forward = lambda x, m: x * m.compare("<", 0.5)
    return p.add(Node(p.fresh("dy"), [x, mask], p.dims_of(x), forward, lambda g, y, x, m: [g * m.compare("<", 0.5), None]))


def diagonal_mask(p):
    """Zero on the diagonal, by a comparison of positions."""
    x = value(p, 2, lambda dims: dims[0] == dims[1] and not dims[0].is_one())
    if not x:
        return None
    n = p.dims_of(x)[0]

    def off():
        where = torch.arange(n.size)
        compared = (where[:, None] > where).to(E.computed) + (where[:, None] < where).to(E.computed)
        count = f"arange({n.text})"
        return E(f"({count}[:, None] > {count}) + ({count}[:, None] < {count})", compared, ADDED)

    return p.add(Node(p.fresh("ky"), [x], p.dims_of(x), lambda x: x * off(), lambda g, y, x: [g * off()]))


def masked_softmax(p):
    """Scores that a mask sends to minus infinity, or nearly, before what they are nothing to: a softmax, a maximum, or both."""
    axis = p.rng.randrange(2)
    x = value(p, 2, lambda dims: not dims[axis].is_one())
    if not x:
        return None
    mask = fresh_input(p, p.dims_of(x), kind="mask", keeps=axis)
    far = p.rng.choice([-1e4, -1e9, -1e30])
    s = p.add(Node(p.fresh("s"), [x, mask], p.dims_of(x), lambda x, m: x + (1 - m) * far, lambda g, y, x, m: [g, None]))
    p.masked.add(s)
    ways = p.rng.choice([["softmax"]] * 5 + [["logsumexp"], ["max"], ["max", "softmax"], ["logsumexp", "softmax"]])
    for way in ways:
        made = softmax_along(p, s, axis) if way == "softmax" else reduced_by(p, way, s, (axis,))
    return made


def cross_entropy(p):
    """The mean cross-entropy of rows, with labels made one-hot by a comparison."""
    x = value(p, 2, two)
    if not x:
        return None
    rows, classes = p.dims_of(x)
    t = labels(p, rows, classes)
    hot = lambda t: t.at(":, None", (slice(None), None)).compare("==", arange(classes))
    logp = p.add(Node(
        p.fresh("l"), [x], [rows, classes], lambda x: x - logsumexp(x, [1], True),
        lambda g, y, x: [g - exp(y) * total(g, [1], keep=True)]))
    forward = lambda l, t: -total(hot(t) * l) / product([rows])
    return p.add(Node(p.fresh("ce"), [logp, t], [], forward, lambda g, y, l, t: [-g * hot(t) / product([rows]), None]))


def cross_entropy_at_once(p):
    """The same in one definition, with the rule that people know."""
    x = value(p, 2, two)
    if not x:
        return None
    rows, classes = p.dims_of(x)
    t = labels(p, rows, classes)
    hot = lambda t: t.at(":, None", (slice(None), None)).compare("==", arange(classes))
    forward = lambda x, t: mean(logsumexp(x, [1]) - total(hot(t) * x, [1]))
    rule = lambda g, y, x, t: [g * (softmax(x, 1) - hot(t)) / product([rows]), None]
    return p.add(Node(p.fresh("ce"), [x, t], [], forward, rule))


def binary_cross_entropy(p):
    """From logits, in the form that does not overflow: smooth, and made of kinked pieces."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    y = fresh_input(p, p.dims_of(x), kind="mask")

    def forward(x, y):
        computed = F.binary_cross_entropy_with_logits(x.value, y.value.to(x.value.dtype), reduction="none")
        return E(f"relu({x.text}) - {x.text} * {y.text} + log(1 + exp(-abs({x.text})))", computed, ADDED)

    return p.add(Node(p.fresh("ly"), [x, y], p.dims_of(x), forward, lambda g, _, x, y: [g * (sigmoid(x) - y), None], pieces=True))


def centred(p):
    """A mean is subtracted: what is summed afterwards is zero by construction."""
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    dims = p.dims_of(x)
    axis = p.rng.randrange(len(dims))
    rule = lambda g, y, x: [g - mean(g, [axis], keep=True)]
    return p.add(Node(p.fresh("cy"), [x], dims, lambda x: x - mean(x, [axis], keep=True), rule))


def normalised(p):
    """LayerNorm or BatchNorm, step by step."""
    x = value(p, 2, two)
    if not x:
        return None
    dims = p.dims_of(x)
    axis = p.rng.randrange(2)
    small = [ONE if at == axis else dim for at, dim in enumerate(dims)]
    count = product([dims[axis]])
    c = p.add(Node(
        p.fresh("c"), [x], dims, lambda x: x - mean(x, [axis], keep=True), lambda g, y, x: [g - mean(g, [axis], keep=True)]))
    v = p.add(Node(
        p.fresh("v"), [c], small, lambda c: mean(c**2, [axis], keep=True), lambda g, y, c: [2 * g * c / count]))
    r = p.add(Node(p.fresh("r"), [v], small, lambda v: (v + 0.1) ** -0.5, lambda g, y, v: [-0.5 * g * (v + 0.1) ** -1.5]))
    rule = lambda g, y, c, r: [g * r, total(g * c, [axis], keep=True)]
    return p.add(Node(p.fresh("y"), [c, r], dims, lambda c, r: c * r, rule))


def pooled(p):
    """A max-pool, often after relu: ties of zeros."""
    x = value(p, 2, lambda dims: not p.named and dims[1].size % 2 == 0)
    if not x:
        return None
    rows, columns = p.dims_of(x)
    if p.rng.random() < 0.7:
        x = p.add(Node(p.fresh("r"), [x], [rows, columns], relu, lambda g, y, x: [g * step(x)], gap=away(0), exact=True))
    windows = [rows, Dim(columns.size // 2), Dim(2)]
    w = p.add(Node(p.fresh("w"), [x], windows, lambda x: reshape(x, windows), lambda g, y, x: [reshape(g, [rows, columns])], exact=True))
    rule = lambda g, y, x: [g.at(":, :, None", (slice(None), slice(None), None)) * tie_share(x, [2])]
    return p.add(Node(p.fresh("y"), [w], windows[:2], lambda x: largest(x, [2]), rule, gap=gaps_of_max((2,)), exact=True))


def joined(p, end, loose):
    """What the program came to, and the mean of a value that nothing uses yet."""
    dims, left = p.dims_of(end), p.dims_of(loose)
    if left:
        every = tuple(range(len(left)))
        rule = lambda g, y, x: [spread(g, left, every, False) / product(left)]
        loose = p.add(Node(p.fresh("m"), [loose], [], lambda x: mean(x), rule))
    rule = lambda g, y, a, b: [g, total(g) if dims else g]
    return p.add(Node(p.fresh("y"), [end, loose], dims, lambda a, b: a + b, rule))


CATALOGUE = [
    (unary, 16), (choosing, 9), (above, 2), (binary_op, 14), (linear, 10), (gram, 2), (matrix_vector, 3), (batched, 2),
    (outer_product, 2), (dot, 2), (kronecker, 2), (convolution, 2), (inverse, 2), (reduction, 9), (softmax_op, 3),
    (alias, 7), (residual, 4), (rearranged, 4), (sliced, 4), (gathered, 4), (scattered, 2), (diagonal, 2), (dropout, 3),
    (compared_mask, 1), (diagonal_mask, 2), (masked_softmax, 2), (cross_entropy, 2), (cross_entropy_at_once, 2),
    (binary_cross_entropy, 2), (centred, 3), (normalised, 2), (pooled, 3), (branches, 2), (concatenated, 3),
    (running_sum, 2), (log_determinant, 1), (layer_normalised, 2),
]
