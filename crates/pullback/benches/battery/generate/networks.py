"""Definitions that layers are: normalisations, convolutions, pooling, attention, cells."""

import torch
import torch.nn.functional as F

from expression import *
from operands import *
from program import Node


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


def few(p, *most):
    """Sizes from 1 on, each up to a bound."""
    return [Dim(p.rng.randint(1, bound)) for bound in most]


def signal(p, axes, least=1):
    """A value of a batch, channels and so many further axes: one that there is, or an input."""
    x = value(p, axes + 2, lambda dims: all(dim.size >= least for dim in dims[2:]))
    if x and p.rng.random() < 0.5:
        return x
    lengths = [Dim(p.rng.randint(max(least, 3), 6 if axes == 1 else 4)) for _ in range(axes)]
    return fresh_input(p, [*few(p, 2), Dim(p.rng.choice([1, 2, 4])), *lengths])


def after(p, letters, operands, forward, gap=None, exact=False, jumps=False):
    """A definition whose shape PyTorch tells, on numbers that mean nothing."""
    probe = [E(at, torch.rand([dim.size for dim in p.dims_of(at)], dtype=torch.float64)) for at in operands]
    try:
        shape = forward(*probe).value.shape
    except RuntimeError:
        return None
    dims = [Dim(size) for size in shape]
    return p.add(Node(p.fresh(letters), list(operands), dims, forward, None, gap=gap, exact=exact, jumps=jumps))


def convolved(p):
    """A convolution with all that it may be told, and its adjoint."""
    axes = p.rng.choice([1, 1, 2])
    x = signal(p, axes, 2)
    channels = p.dims_of(x)[1].size
    groups = p.rng.choice([1, 2]) if channels % 2 == 0 else 1
    stride, padding, dilation = p.rng.choice([1, 2]), p.rng.choice([0, 1]), p.rng.choice([1, 1, 2])
    window = [Dim(2)] * axes
    settings = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    keywords = "".join(f", {key}={given}" for key, given in settings.items() if given != (key != "padding"))
    if p.rng.random() < 0.6:
        filters = groups * p.rng.choice([1, 2])
        w = fresh_input(p, [Dim(filters), Dim(channels // groups), *window])
        compute, name = [F.conv1d, F.conv2d][axes - 1], p.rng.choice(["conv", f"conv{axes}d"])
    else:
        filters = p.rng.choice([1, 2])
        w = fresh_input(p, [Dim(channels), Dim(filters), *window])
        filters *= groups
        compute, name = [F.conv_transpose1d, F.conv_transpose2d][axes - 1], f"conv_transpose{axes}d"
    if p.rng.random() < 0.4:
        b = fresh_input(p, [Dim(filters)])
        forward = lambda x, w, b: call(name, lambda x, w, b: compute(x, w, b, **settings), x, w, b, keywords=keywords)
        return after(p, "zy", [x, w, b], forward)
    return after(p, "zy", [x, w], lambda x, w: call(name, lambda x, w: compute(x, w, **settings), x, w, keywords=keywords))


def pooled_windows(p):
    """The mean or the largest element of windows, and images of another size."""
    axes = p.rng.choice([1, 1, 2])
    x = signal(p, axes, 2)
    stride, padding = p.rng.choice([1, 2]), p.rng.choice([0, 1])
    moved = f", 2, stride={stride}" + (f", padding={padding}" if padding else "")
    match p.rng.choice(["max", "max", "avg", "uncounted", "adaptive", "adaptive-max", "nearest", "linear", "columns"]):
        case "columns":
            if axes == 1:
                return None
            forward = lambda v: F.unfold(v, 2, padding=padding, stride=stride)
            keywords = f", 2, stride={stride}" + (f", padding={padding}" if padding else "")
            return after(p, "ky", [x], written_by("im2col", forward, keywords))
        case "max":
            compute = [F.max_pool1d, F.max_pool2d][axes - 1]
            forward = written_by(f"max_pool{axes}d", lambda v: compute(v, 2, stride=stride, padding=padding), moved)
            return after(p, "y", [x], forward, gap=gaps_of_windows(axes, stride, padding), exact=True)
        case "avg":
            compute = [F.avg_pool1d, F.avg_pool2d][axes - 1]
            return after(p, "y", [x], written_by(f"avg_pool{axes}d", lambda v: compute(v, 2, stride=stride, padding=padding), moved))
        case "uncounted":
            compute = [F.avg_pool1d, F.avg_pool2d][axes - 1]
            forward = lambda v: compute(v, 2, stride=stride, padding=padding, count_include_pad=False)
            return after(p, "y", [x], written_by("avg_pool", forward, moved + ", count_include_pad=false"))
        case "adaptive":
            compute = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d][axes - 1]
            return after(p, "y", [x], written_by(f"adaptive_avg_pool{axes}d", lambda v: compute(v, 2), ", 2"))
        case "adaptive-max":
            compute = [F.adaptive_max_pool1d, F.adaptive_max_pool2d][axes - 1]
            gap = lambda x: torch.pdist(x.flatten()[:, None])
            return after(
                p, "y", [x], written_by(f"adaptive_max_pool{axes}d", lambda v: compute(v, 2), ", 2"), gap=gap, jumps=True)
        case way:
            mode = "nearest" if way == "nearest" else ["linear", "bilinear"][axes - 1]
            forward = lambda v: F.interpolate(v, scale_factor=2, mode=mode)
            keywords = ", scale_factor=2" + (f', mode="{mode}"' if mode != "nearest" else "")
            return after(p, "y", [x], written_by("interpolate", forward, keywords))


def gaps_of_windows(axes, stride, padding):
    """How far the largest element of each window is above the next."""

    def gap(x):
        x = F.pad(x, [padding] * (2 * axes), value=-1e30)
        for axis in range(axes):
            x = x.unfold(axis + 2, 2, stride)
        top = x.flatten(-axes).topk(2).values
        # Two that are outside are no pair.
        return (top[..., 0] - top[..., 1])[top[..., 1] > -1e29].flatten()

    return gap


def normalised_by_name(p):
    """Normalisations of PyTorch with a gain and a bias."""
    x = value(p, 2, two)
    if not x:
        return None
    rows, n = p.dims_of(x)
    name = p.rng.choice(["layer_norm", "rms_norm", "batch_norm", "group_norm"])
    eps = ", eps=0.1"
    if name == "group_norm":
        x = signal(p, 1, 2)
        channels = p.dims_of(x)[1]
        groups = p.rng.choice([1, 2]) if channels.size % 2 == 0 else 1
        w = fresh_input(p, [channels])
        b = fresh_input(p, [channels])
        compute = lambda x, w, b: F.group_norm(x, groups, w, b, eps=0.1)
        forward = lambda x, w, b: E(
            f"group_norm({x.text}, {groups}, {w.text}, {b.text}{eps})", compute(x.value, w.value, b.value))
        return after(p, "ny", [x, w, b], forward)
    w = fresh_input(p, [n])
    if name == "rms_norm":
        square = lambda x: mean(x**2, [1], keep=True) + 0.1
        normal = lambda x: x / sqrt(square(x))

        def rule(g, y, x, w):
            inner = (g * w - normal(x) * mean(g * w * normal(x), [1], keep=True)) / sqrt(square(x))
            return [inner, total(g * normal(x), [0])]

        forward = written_by(name, lambda x, w: F.rms_norm(x, (n.size,), w, eps=0.1), eps)
        return p.add(Node(p.fresh("ny"), [x, w], [rows, n], forward, rule))
    b = fresh_input(p, [n])
    axis = 1 if name == "layer_norm" else 0
    size = lambda x: sqrt(E(
        f"var({x.text}, axis={axis}, keepdims=true)", x.value.var(axis, correction=0, keepdim=True)) + 0.1)
    normal = lambda x: (x - mean(x, [axis], keep=True)) / size(x)

    def rule(g, y, x, w, b):
        inner = g * w
        middle = mean(inner, [axis], keep=True) + normal(x) * mean(inner * normal(x), [axis], keep=True)
        return [(inner - middle) / size(x), total(g * normal(x), [0]), total(g, [0])]

    if name == "layer_norm":
        forward = written_by(name, lambda x, w, b: F.layer_norm(x, (n.size,), w, b, eps=0.1), eps)
    elif rows.size > 1:
        forward = lambda x, w, b: E(
            f"batch_norm({x.text}, weight={w.text}, bias={b.text}, training=true{eps})",
            F.batch_norm(x.value, None, None, w.value, b.value, training=True, eps=0.1))
    else:
        return None
    return p.add(Node(p.fresh("ny"), [x, w, b], [rows, n], forward, rule))


def attention(p):
    """Attention of one head by its name, with a causal mask or without one."""
    q = value(p, 2, two)
    if not q:
        return None
    n, d = p.dims_of(q)
    causal = p.rng.random() < 0.6
    m = n if causal else p.rng.choice(p.dims)
    k = fresh_input(p, [m, d])
    v = fresh_input(p, [m, p.rng.choice(p.dims)])

    def compute(q, k, v):
        scores = q @ k.mT / d.size**0.5
        hidden = torch.ones_like(scores).triu(1) > 0
        return torch.softmax(scores.masked_fill(hidden, -torch.inf) if causal else scores, -1) @ v

    forward = written_by("scaled_dot_product_attention", compute, ", is_causal=true" if causal else "")
    dims = [n, p.dims_of(v)[1]]
    if causal:
        return p.add(Node(p.fresh("oy"), [q, k, v], dims, forward, None))
    root = E(f"sqrt({d.text})", d.size**0.5)
    weights = lambda q, k: softmax(q @ k.T / root, 1)

    def rule(g, y, q, k, v):
        back = weights(q, k) * (g @ v.T - total(g @ v.T * weights(q, k), [1], keep=True)) / root
        return [back @ k, back.T @ q, weights(q, k).T @ g]

    return p.add(Node(p.fresh("oy"), [q, k, v], dims, forward, rule))


def cell(p):
    """A step of a recurrent network by its name."""
    x = value(p, 2, lambda dims: two(dims) and dims[0].size < 5)
    if not x or p.named:
        return None
    rows, inner = p.dims_of(x)
    n = Dim(p.rng.choice([2, 3]))
    name, gates, compute = p.rng.choice([("rnn_cell", 1, torch.rnn_tanh_cell), ("gru_cell", 3, torch.gru_cell)])
    h = fresh_input(p, [rows, n])
    w = fresh_input(p, [Dim(gates * n.size), inner])
    u = fresh_input(p, [Dim(gates * n.size), n])
    return p.add(Node(p.fresh("hy"), [x, h, w, u], [rows, n], written_by(name, compute), None))


def gated(p):
    """Half of an axis gates the other half, or is turned beside it."""
    x = value(p, 2, lambda dims: dims[1].size % 2 == 0 and not p.named)
    if not x:
        return None
    rows, n = p.dims_of(x)
    if p.rng.random() < 0.5:
        left = Dim(n.size // 2)
        return p.add(Node(p.fresh("gy"), [x], [rows, left], written_by("glu", F.glu), None))

    def compute(v):
        half = n.size // 2
        angle = torch.outer(torch.arange(rows.size).to(v), 100.0 ** (-torch.arange(half).to(v) / half))
        angle = torch.cat([angle, angle], -1)
        return v * angle.cos() + torch.cat([-v[:, half:], v[:, :half]], -1) * angle.sin()

    return p.add(Node(p.fresh("gy"), [x], [rows, n], written_by("rope", compute, ", base=100"), None))
