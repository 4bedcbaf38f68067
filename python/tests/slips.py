"""Backward passes of twelve kernels, written by hand, and slips that people make in them.

A kernel is source text, so that a slip is a piece of it replaced by another one, and the mutated function is what it would be in a
file. With each slip stands what it has to be called: one or several words, where the same numbers have several names.
"""

from __future__ import annotations

import math
import textwrap

import torch
import torch.nn.functional as F

#: The words for a factor, a sign or a number that is missing or too many; and those of a number that is another one.
FACTOR = {"missing-factor", "extra-factor", "wrong-constant"}
SIGN = {"missing-factor", "extra-factor"}
#: What one of several uses of a value adds to its gradient.
TERM = {"missing-term", "overwritten"}


class Kernel:
    """A forward pass, its backward pass, and slips: each a kind, what is replaced by what, and the words that are right."""

    def __init__(self, name, forward, backward, arguments, slips):
        self.name, self.forward, self.arguments, self.slips = name, forward, arguments, slips
        self.backward = textwrap.dedent(backward).strip()

    def function(self, replaced: str | None = None, by: str = ""):
        """The `torch.autograd.Function`, with a piece of its backward pass replaced."""
        source = self.backward
        if replaced is not None:
            assert source.count(replaced) == 1, f"{self.name}: {replaced!r} stands there {source.count(replaced)} times"
            source = source.replace(replaced, by)
        names = self.forward.__code__.co_varnames[: self.forward.__code__.co_argcount]
        text = f"def backward(dy, {', '.join(names)}):\n" + textwrap.indent(source, "    ")
        scope = {"torch": torch, "F": F, "math": math}
        exec(text, scope)  # noqa: S102
        forward = self.forward

        def run(ctx, *args):
            ctx.save_for_backward(*args)
            return forward(*args)

        def back(ctx, dy):
            return scope["backward"](dy, *ctx.saved_tensors)

        return type(
            self.name, (torch.autograd.Function,), {"forward": staticmethod(run), "backward": staticmethod(back)}
        )


def _linear(x, w, b):
    return x @ w.t() + b


def _rms_norm(x, g):
    r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return g * (x * r)


def _layer_norm(x, g, b):
    centred = x - x.mean(-1, keepdim=True)
    xhat = centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-5)
    return g * xhat + b


def _softmax(x):
    return torch.softmax(x, -1)


def _cross_entropy(x, t):
    return F.cross_entropy(x, t)


def _swiglu(a, b):
    return F.silu(a) * b


def _attention(q, k, v):
    s = q @ k.t() / math.sqrt(q.shape[-1])
    mask = torch.ones_like(s).tril() > 0
    p = torch.softmax(s.masked_fill(~mask, float("-inf")), -1)
    return p @ v


def _rope(x, c, s):
    x1, x2 = x.chunk(2, -1)
    return x * c + torch.cat((-x2, x1), -1) * s


def _normalize(x):
    return x / x.norm(dim=-1, keepdim=True)


def _dyt(x, a, g, b):
    return g * torch.tanh(a * x) + b


def _bce(x, y):
    return F.binary_cross_entropy_with_logits(x, y)


def _mlp(x, w, v):
    h = torch.relu(x @ w)
    return h @ v


def _normal(*shape):
    return lambda generator: torch.randn(*shape, generator=generator, dtype=torch.float64)


KERNELS = [
    Kernel(
        "Linear",
        _linear,
        """
        dx = dy @ w
        dw = dy.t() @ x
        db = dy.sum(0)
        return dx, dw, db
        """,
        (_normal(5, 4), _normal(4, 4), _normal(4)),
        [
            ("transpose", "dy @ w", "dy @ w.t()", {"transposed-factor"}),
            ("sign", "dw = dy.t() @ x", "dw = -dy.t() @ x", SIGN),
            ("missing sum", "db = dy.sum(0)", "db = dy[0]", {"missing-sum", "wrong-part", "overwritten"}),
            ("swapped operands", "dy.t() @ x", "x.t() @ dy", {"swapped-operands", "transposed-factor"}),
            ("dropped scale", "db = dy.sum(0)", "db = dy.mean(0)", FACTOR),
        ],
    ),
    Kernel(
        "RMSNorm",
        _rms_norm,
        """
        r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        dg = (dy * (x * r)).sum(0)
        a = dy * g
        dx = r * a - r**3 * x * (a * x).mean(-1, keepdim=True)
        return dx, dg
        """,
        (_normal(5, 7), _normal(7)),
        [
            ("missing term", "r * a - r**3 * x * (a * x).mean(-1, keepdim=True)", "r * a", {"missing-term"}),
            ("sign", "r * a - r**3", "r * a + r**3", SIGN),
            ("stale operand", "(dy * (x * r))", "(dy * x)", {"stale-operand", "missing-factor"}),
            ("dropped scale", "(a * x).mean", "(a * x).sum", FACTOR),
            ("wrong axis", "(a * x).mean(-1, keepdim=True)", "(a * x).mean(0, keepdim=True)", {"wrong-axis"}),
            ("stale operand", "a = dy * g", "a = dy", {"missing-factor", "stale-operand"}),
        ],
    ),
    Kernel(
        "LayerNorm",
        _layer_norm,
        """
        centred = x - x.mean(-1, keepdim=True)
        rstd = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-5)
        xhat = centred * rstd
        dg = (dy * xhat).sum(0)
        db = dy.sum(0)
        a = dy * g
        dx = rstd * (a - a.mean(-1, keepdim=True) - xhat * (a * xhat).mean(-1, keepdim=True))
        return dx, dg, db
        """,
        (_normal(5, 7), _normal(7), _normal(7)),
        [
            ("missing term", "a - a.mean(-1, keepdim=True) - xhat", "a - xhat", {"missing-term"}),
            ("missing term", " - xhat * (a * xhat).mean(-1, keepdim=True)", "", {"missing-term"}),
            ("sign", "- xhat * (a", "+ xhat * (a", SIGN),
            ("stale operand", "dg = (dy * xhat)", "dg = (dy * centred)", {"stale-operand", "missing-factor"}),
            ("swapped outputs", "return dx, dg, db", "return dx, db, dg", {"swapped-claims"}),
            ("dropped scale", "dx = rstd * (", "dx = (", {"missing-factor"}),
        ],
    ),
    Kernel(
        "Softmax",
        _softmax,
        """
        p = torch.softmax(x, -1)
        return p * (dy - (dy * p).sum(-1, keepdim=True))
        """,
        (_normal(5, 6),),
        [
            ("missing term", "p * (dy - (dy * p).sum(-1, keepdim=True))", "p * dy", {"missing-term"}),
            ("sign", "dy - (dy", "dy + (dy", SIGN),
            ("wrong axis", "sum(-1, keepdim=True)", "sum(0, keepdim=True)", {"wrong-axis"}),
            ("stale operand", "(dy * p)", "(dy * x)", {"stale-operand"}),
            ("dropped scale", "return p * (dy", "return (dy", {"missing-factor"}),
        ],
    ),
    Kernel(
        "CrossEntropy",
        _cross_entropy,
        """
        p = torch.softmax(x, -1)
        one_hot = F.one_hot(t, x.shape[-1])
        return dy * (p - one_hot) / x.shape[0], None
        """,
        (_normal(5, 6), lambda generator: torch.randint(0, 6, (5,), generator=generator)),
        [
            ("dropped scale", " / x.shape[0]", "", FACTOR),
            ("sign", "(p - one_hot)", "(one_hot - p)", SIGN),
            ("missing term", "(p - one_hot)", "p", TERM),
            ("literal constant", "/ x.shape[0]", "/ x.shape[1]", FACTOR),
        ],
    ),
    Kernel(
        "SwiGLU",
        _swiglu,
        """
        s = torch.sigmoid(a)
        da = dy * b * s * (1 + a * (1 - s))
        db = dy * a * s
        return da, db
        """,
        (_normal(4, 5), _normal(4, 5)),
        [
            ("missing term", "(1 + a * (1 - s))", "1", TERM),
            ("sign", "(1 + a * (1 - s))", "(1 - a * (1 - s))", SIGN),
            ("stale operand", "db = dy * a * s", "db = dy * a * a", {"stale-operand"}),
            ("swapped outputs", "return da, db", "return db, da", {"swapped-claims"}),
            ("dropped scale", "da = dy * b * s", "da = dy * s", FACTOR),
        ],
    ),
    Kernel(
        "Attention",
        _attention,
        """
        s = q @ k.t() / math.sqrt(q.shape[-1])
        mask = torch.ones_like(s).tril() > 0
        p = torch.softmax(s.masked_fill(~mask, float("-inf")), -1)
        dv = p.t() @ dy
        dp = dy @ v.t()
        ds = p * (dp - (dp * p).sum(-1, keepdim=True)) / math.sqrt(q.shape[-1])
        return ds @ k, ds.t() @ q, dv
        """,
        (_normal(4, 3), _normal(4, 3), _normal(4, 3)),
        [
            ("dropped scale", "keepdim=True)) / math.sqrt(q.shape[-1])", "keepdim=True))", FACTOR),
            ("transpose", "dv = p.t() @ dy", "dv = p @ dy", {"transposed-factor"}),
            ("missing term", "p * (dp - (dp * p).sum(-1, keepdim=True))", "p * dp", {"missing-term"}),
            ("wrong axis", "(dp * p).sum(-1, keepdim=True)", "(dp * p).sum(0, keepdim=True)", {"wrong-axis"}),
            ("transpose", "ds.t() @ q", "ds @ q", {"transposed-factor"}),
            (
                "mask forgotten",
                's.masked_fill(~mask, float("-inf"))',
                "s",
                {"other-forward", "stale-operand", "missing-factor"},
            ),
        ],
    ),
    Kernel(
        "Rope",
        _rope,
        """
        ds = dy * s
        d1, d2 = ds.chunk(2, -1)
        dx = dy * c + torch.cat((d2, -d1), -1)
        x1, x2 = x.chunk(2, -1)
        return dx, dy * x, dy * torch.cat((-x2, x1), -1)
        """,
        (_normal(4, 6), _normal(4, 6), _normal(4, 6)),
        [
            ("sign", "torch.cat((d2, -d1), -1)", "torch.cat((-d2, d1), -1)", SIGN),
            ("missing term", " + torch.cat((d2, -d1), -1)", "", {"missing-term"}),
            ("stale operand", "dx, dy * x, dy", "dx, dy * c, dy", {"stale-operand"}),
            ("dropped scale", "dx = dy * c +", "dx = dy +", {"missing-factor"}),
        ],
    ),
    Kernel(
        "Normalize",
        _normalize,
        """
        n = x.norm(dim=-1, keepdim=True)
        y = x / n
        return (dy - y * (dy * y).sum(-1, keepdim=True)) / n
        """,
        (_normal(5, 4),),
        [
            ("missing term", "(dy - y * (dy * y).sum(-1, keepdim=True)) / n", "dy / n", {"missing-term"}),
            ("dropped scale", "keepdim=True)) / n", "keepdim=True))", {"missing-factor"}),
            ("stale operand", "y * (dy * y)", "x * (dy * y)", {"stale-operand", "missing-factor"}),
            ("sign", "dy - y *", "dy + y *", SIGN),
            ("wrong axis", "(dy * y).sum(-1", "(dy * y).sum(0", {"wrong-axis"}),
        ],
    ),
    Kernel(
        "DyT",
        _dyt,
        """
        t = torch.tanh(a * x)
        dt = dy * g * (1 - t**2)
        return dt * a, (dt * x).sum().reshape(1), (dy * t).sum(0), dy.sum(0)
        """,
        (_normal(4, 5), _normal(1), _normal(5), _normal(5)),
        [
            ("dropped scale", "return dt * a,", "return dt,", {"missing-factor"}),
            ("stale operand", "(1 - t**2)", "(1 - x**2)", {"stale-operand"}),
            ("swapped outputs", "(dy * t).sum(0), dy.sum(0)", "dy.sum(0), (dy * t).sum(0)", {"swapped-claims"}),
            ("missing term", "(1 - t**2)", "1", {"missing-term", "wrong-derivative", "missing-factor"}),
            ("wrong derivative", "(1 - t**2)", "(1 - t)", {"wrong-derivative", "missing-factor"}),
        ],
    ),
    Kernel(
        "BCE",
        _bce,
        """
        s = torch.sigmoid(x)
        n = x.numel()
        return dy * (s - y) / n, -dy * x / n
        """,
        (_normal(4, 5), lambda generator: torch.rand(4, 5, generator=generator, dtype=torch.float64)),
        [
            ("dropped scale", "(s - y) / n", "(s - y)", FACTOR),
            ("sign", "-dy * x / n", "dy * x / n", SIGN),
            ("missing term", "(s - y)", "s", {"missing-term"}),
            ("literal constant", "(s - y) / n", "(s - y) / x.shape[0]", FACTOR),
        ],
    ),
    Kernel(
        "MLP",
        _mlp,
        """
        z = x @ w
        h = torch.relu(z)
        dv = h.t() @ dy
        dh = dy @ v.t()
        dz = dh * (z > 0)
        return dz @ w.t(), x.t() @ dz, dv
        """,
        (_normal(5, 4), _normal(4, 6), _normal(6, 4)),
        [
            ("mask forgotten", "dz = dh * (z > 0)", "dz = dh", {"wrong-derivative", "missing-factor", "other-forward"}),
            ("stale operand", "x.t() @ dz", "x.t() @ dh", {"stale-operand", "wrong-derivative", "missing-factor"}),
            ("stale operand", "dv = h.t()", "dv = z.t()", {"stale-operand"}),
            ("transpose", "dy @ v.t()", "dy @ v.reshape(4, 6)", {"transposed-factor"}),
            ("sign", "return dz @ w.t()", "return -dz @ w.t()", SIGN),
        ],
    ),
]


def arguments(kernel: Kernel, dtype=torch.float64, seed: int = 0):
    """The arguments of a kernel, drawn."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [draw(generator) for draw in kernel.arguments]
    return [one.to(dtype) if one.is_floating_point() else one for one in drawn]
