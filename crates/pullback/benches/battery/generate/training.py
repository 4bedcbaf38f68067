"""What training is made of: masks, losses by hand and by name, and factors that are held."""

import torch
import torch.nn.functional as F

from expression import *
from operands import *
from program import Node
from reductions import reduced_by, softmax_along


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
    t = labels(p, [rows], classes)
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
    t = labels(p, [rows], classes)
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


def reduced_loss(p, forward, a, b, rule, gap=None, reductions=("mean", "sum"), jumps=False):
    """A loss of PyTorch by its name, its elements added up or averaged; `rule` is without what that divides by."""
    reduction = p.rng.choice(reductions)
    dims = p.dims_of(a)
    keywords = "" if reduction == "mean" else f', reduction="{reduction}"'
    count = product(dims) if reduction == "mean" else number(1)
    divided = lambda share: share if share is None or reduction != "mean" else share / count
    name, compute, more = forward
    called = written_by(name, lambda a, b: compute(a, b, reduction=reduction), more + keywords)
    each = lambda g, y, a, b: [divided(share) for share in rule(g, a, b)]
    return p.add(Node(p.fresh("ly"), [a, b], [], called, rule and each, gap=gap, jumps=jumps))


def held_between(x, bound):
    return call("clamp", lambda v: v.clamp(-bound, bound), x, keywords=f", {-bound}, {bound}")


# Each of a value and a target: the name, PyTorch's function, further arguments, the rule, and how far from turning it is.
REGRESSIONS = [
    (("mse_loss", F.mse_loss, ""), lambda g, a, b: [2 * g * (a - b), -2 * g * (a - b)], None),
    (("l1_loss", F.l1_loss, ""), lambda g, a, b: [g * sign(a - b), -g * sign(a - b)], apart),
    (
        ("huber_loss", lambda a, b, reduction: F.huber_loss(a, b, reduction=reduction, delta=0.5), ", delta=0.5"),
        lambda g, a, b: [g * held_between(a - b, 0.5), -g * held_between(a - b, 0.5)], None),
    (
        ("smooth_l1_loss", lambda a, b, reduction: F.smooth_l1_loss(a, b, reduction=reduction, beta=0.5), ", beta=0.5"),
        lambda g, a, b: [g * held_between((a - b) / 0.5, 1), -g * held_between((a - b) / 0.5, 1)], None),
]


def regression(p):
    a = value(p, fits=lambda dims: len(dims) > 0)
    if not a:
        return None
    dims = p.dims_of(a)
    b = value(p, fits=lambda other: other == dims) if p.rng.random() < 0.3 else fresh_input(p, dims)
    forward, rule, gap = p.rng.choice(REGRESSIONS)
    return reduced_loss(p, forward, a, b, rule, gap)


# Each of logits and a target of 0 and 1.
CLASSIFICATIONS = [
    (
        ("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, ""),
        lambda g, x, m: [g * (sigmoid(x) - m), None], None),
    (
        ("soft_margin_loss", lambda a, b, reduction: F.soft_margin_loss(a, b, reduction=reduction), ""),
        lambda g, x, m: [-g * m * sigmoid(-m * x), None], None),
]


def classification(p):
    x = value(p, fits=lambda dims: len(dims) > 0)
    if not x:
        return None
    mask = fresh_input(p, p.dims_of(x), kind="mask")
    forward, rule, gap = p.rng.choice(CLASSIFICATIONS)
    return reduced_loss(p, forward, x, mask, rule, gap)


def divergence(p):
    """Kullback and Leibler's, of two softmaxes of rows."""
    x = value(p, 2, two)
    if not x:
        return None
    dims = p.dims_of(x)
    rule = lambda g, y, x: [g - exp(y) * total(g, [1], keep=True)]
    forward = written_by("log_softmax", lambda v: torch.log_softmax(v, 1), ", axis=1")
    logp = p.add(Node(p.fresh("l"), [x], dims, forward, rule))
    z = fresh_input(p, dims)
    q = p.add(Node(p.fresh("q"), [z], dims, lambda z: softmax(z, 1), lambda g, y, z: [y * (g - total(g * y, [1], keep=True))]))
    slopes = lambda g, l, q: [-g * q, g * (log(q) + 1 - l)]
    return reduced_loss(p, ("kl_div", F.kl_div, ""), logp, q, slopes)


def labelled(p):
    """Cross-entropies by their names: labels as integers, smoothed or weighted, or of logarithms that are there already."""
    x = value(p, 2, two)
    if not x:
        return None
    rows, classes = p.dims_of(x)
    t = labels(p, [rows], classes)
    name = p.fresh("ly")
    hot = lambda t: E(f"one_hot({t.text}, {classes.text})", F.one_hot(t.value, classes.size).to(E.computed))
    count = product([rows])
    match p.rng.choice(["plain", "smooth", "sum", "nll", "weighted"]):
        case "plain":
            forward = written_by("cross_entropy", F.cross_entropy)
            rule = lambda g, y, x, t: [g * (softmax(x, 1) - hot(t)) / count, None]
        case "smooth":
            forward = written_by("cross_entropy", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), ", label_smoothing=0.1")
            rule = lambda g, y, x, t: [g * (softmax(x, 1) - 0.9 * hot(t) - 0.1 / product([classes])) / count, None]
        case "sum":
            forward = written_by("cross_entropy", lambda x, t: F.cross_entropy(x, t, reduction="sum"), ', reduction="sum"')
            rule = lambda g, y, x, t: [g * (softmax(x, 1) - hot(t)), None]
        case "nll":
            forward = written_by("nll_loss", F.nll_loss)
            rule = lambda g, y, x, t: [-g * hot(t) / count, None]
        case _:
            numbers = [p.rng.choice([0.5, 1.0, 2.0]) for _ in range(classes.size)]
            weights = lambda x: torch.tensor(numbers, dtype=x.dtype)
            forward = written_by(
                "cross_entropy", lambda x, t: F.cross_entropy(x, t, weight=weights(x)), f", weight={numbers}")
            rule = None
            if p.named:
                return None
    return p.add(Node(name, [x, t], [], forward, rule))


def similarity(p):
    """The cosine of the angle between rows, away from rows of zeros."""
    a = value(p, 2, two)
    if not a:
        return None
    dims = p.dims_of(a)
    b = value(p, 2, lambda other: other == dims) if p.rng.random() < 0.4 else fresh_input(p, dims)
    size = lambda v: E(f"norm({v.text}, axis=1, keepdims=true)", torch.linalg.vector_norm(v.value, dim=1, keepdim=True))
    column = lambda v: v.at(":, None", (slice(None), None))

    def rule(g, y, a, b):
        g, y = column(g), column(y)
        return [g * (b / (size(a) * size(b)) - y * a / size(a) ** 2), g * (a / (size(a) * size(b)) - y * b / size(b) ** 2)]

    gap = lambda a, b: torch.cat([torch.linalg.vector_norm(v, dim=1) for v in (a, b)])
    forward = written_by("cosine_similarity", lambda a, b: F.cosine_similarity(a, b, dim=1), ", axis=1")
    return p.add(Node(p.fresh("cy"), [a, b], dims[:1], forward, rule, gap=gap, jumps=True))


def held(p):
    """A factor through which no derivative goes."""
    x = value(p)
    stop = p.rng.choice(["stop_gradient", "detach"])
    constant = lambda x: E(f"{stop}({x.text})", x.value.detach())
    forward, rule = p.rng.choice([
        (lambda x: x * constant(x), lambda g, y, x: [g * x]),
        (lambda x: x - constant(x) + constant(tanh(x)), lambda g, y, x: [g]),
        (lambda x: tanh(x) * constant(x**2), lambda g, y, x: [g * x**2 * (1 - tanh(x) ** 2)]),
    ])
    return p.add(Node(p.fresh("hy"), [x], p.dims_of(x), forward, rule, holds=True))

