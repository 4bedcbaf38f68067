"""Writes <program>-<dtype>.safetensors: gradients as PyTorch computes them in f64, f32, f16 and bf16, and wrong ones beside them.

Run with PyTorch 2.15 on the CPU and safetensors. Each file holds the inputs of a .grad file beside this one and the gradients of
autograd; a wrong gradient stands under the name of the right one and what is wrong with it: `dL/db: the last rows dropped`. Each is
so far off as rounding of no real implementation puts it, and many stay within a few steps of the format in each entry.
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}

# A multiple that lies outside of what the formats round.
TIMES = {torch.float64: 1.000001, torch.float32: 1.001, torch.float16: 1.02, torch.bfloat16: 1.1}


def dropped(cotangent, rows):
    """The cotangent without its last rows."""
    cut = cotangent.clone()
    cut[-rows:] = 0
    return cut


def bias(draw):
    """A bias over 256 rows, and weights of two entries."""
    X, W, b = draw(256, 1), draw(1, 2), draw(2)
    g = draw(256, 2).detach().abs()
    (X @ W + b).backward(g)
    cut = dropped(g, 24)
    slips = {
        "dL/db: the last rows dropped": cut.sum(0),
        "dL/dW: the last rows dropped": X.detach().T @ dropped(g, 128),
        "dL/db: a twenty-fifth off": b.grad * torch.tensor([1, 1.04]).to(b.dtype),
    }
    return {"X": X, "W": W, "b": b}, {"dL/dZ": g}, slips


def labels(draw):
    """Cross-entropy of labels that are compared with indices."""
    z = draw(6, 5)
    t = torch.tensor([0, 3, 4, 1, 1, 2])
    F.cross_entropy(z, t, reduction="sum").backward()
    onehot = F.one_hot(t, 5).to(z.dtype)
    p = torch.softmax(z, 1).detach()
    slips = {
        "dL/dz: zeros": torch.zeros_like(z),
        "dL/dz: without the labels": p,
        "dL/dz: the labels of the next row": p - onehot.roll(1, 0),
        "dL/dz: one label forgotten": p - onehot * torch.tensor([1, 1, 0, 1, 1, 1]).to(z.dtype)[:, None],
    }
    return {"z": z}, {"t": t}, slips


def masked(draw):
    """Attention with a mask of numbers, −10⁴ where it hides."""
    Q, K, V = draw(6, 3), draw(6, 3), draw(6, 2)
    d = draw(6, 2).detach()
    ones = torch.ones(6, 6)

    def attended(mask):
        return torch.softmax(Q @ K.T / 3**0.5 + (1 - mask.to(Q.dtype)) * -1e4, 1)

    (attended(ones.tril()) @ V).backward(d)
    with torch.no_grad():
        slips = {
            "dL/dV: without the mask": attended(ones).T @ d,
            "dL/dV: the diagonal masked too": attended(ones.tril(-1)).T @ d,
            "dL/dQ: of the next row": Q.grad.roll(1, 0),
        }
    return {"Q": Q, "K": K, "V": V}, {"dL/dO": d}, slips


def dropout(draw):
    """A mask of drawn numbers."""
    x, w = draw(8, 4), draw(4)
    u = torch.rand(8, 4).to(x.dtype)
    kept = (u < 0.75).to(x.dtype)
    d = draw(8, 4).detach()
    (x * w * kept / 0.75).backward(d)
    one = torch.zeros_like(kept)
    one[tuple((kept == 0).nonzero()[0])] = 1
    scaled = d * w.detach() / 0.75
    slips = {"dL/dx: without the mask": scaled, "dL/dx: one element kept": scaled * (kept + one)}
    return {"x": x, "w": w}, {"u": u, "dL/dy": d}, slips


def hidden(draw):
    """A hidden layer of relu, whose signs rounding may turn."""
    X, T = draw(40, 4).detach(), draw(40, 2).detach()
    W, b, V = draw(4, 16), draw(16), draw(16, 2)
    Z = X @ W + b
    Y = torch.relu(Z) @ V
    ((Y - T) ** 2).mean().backward()
    dY = (2 * (Y - T) / 80).detach()
    dA = dY @ V.detach().T
    slips = {
        "dL/dW: without the mask": X.T @ dA,
        "dL/dW: a mask of the wrong sign": X.T @ (dA * (Z < 0)),
        "dL/db: the last rows dropped": dropped(dA * (Z > 0), 20).sum(0),
    }
    return {"W": W, "b": b, "V": V}, {"X": X, "T": T}, slips


def layernorm(draw):
    """PyTorch's own kernel, which adds up the rows of dL/db in the format itself."""
    x, g, b = draw(48, 6), draw(6), draw(6)
    d = draw(48, 6).detach()
    F.layer_norm(x, (6,), g, b, 1e-5).backward(d)
    slips = {
        "dL/db: the last rows dropped": dropped(d, 24).sum(0),
        "dL/dx: of the next row": x.grad.roll(1, 0),
        "dL/dg: without the normalisation": (d * x).sum(0).detach(),
    }
    return {"x": x, "g": g, "b": b}, {"dL/dy": d}, slips


def contracted(draw):
    """Three operands at once: PyTorch contracts them in pairs and stores what is between."""
    x, w, u = draw(3, 5, 4), draw(4, 6), draw(6)
    d = draw(3, 5).detach()
    torch.einsum("btd,de,e->bt", x, w, u).backward(d)
    slips = {"dL/dw: of the next row": w.grad.roll(1, 0)}
    return {"x": x, "w": w, "u": u}, {"dL/dy": d}, slips


def offset(draw):
    """A normalisation of what lies far from 0: PyTorch multiplies out, `a x - a m` for `a (x - m)`."""
    x = (draw(6, 8).detach() + 8).requires_grad_()
    g, b = draw(8), draw(8)
    d = draw(6, 8).detach()
    F.layer_norm(x, (8,), g, b, 1e-5).backward(d)
    slips = {"dL/dg: of the next column": g.grad.roll(1, 0), "dL/dx: of the next row": x.grad.roll(1, 0)}
    return {"g": g, "b": b, "x": x}, {"dL/dy": d}, slips


def single(draw):
    """A normalisation of single numbers, which leaves nothing of them but rounding."""
    x, g, b = draw(4, 1), draw(1), draw(1)
    d = draw(4, 1).detach()
    F.layer_norm(x, (1,), g, b, 1e-5).backward(d)
    slips = {"dL/db: the last row dropped": dropped(d, 1).sum(0), "dL/dx: the cotangent": d}
    return {"b": b, "g": g, "x": x}, {"dL/dy": d}, slips


def stated(draw):
    """Numbers that a program states, which a format does not hold, beside what all but cancels with them."""
    x, v = draw(12), draw(12)
    d = draw(12).detach()
    ((x - 0.3) * (v - 0.1)).backward(d)
    with torch.no_grad():
        slips = {"dL/dv: without the number": d * x, "dL/dx: with the sign turned": -x.grad}
    return {"v": v, "x": x}, {"dL/dy": d}, slips


# A multiple that many entries tell, where they share nothing that is rounded: the formats round by 2^-8 and 2^-11 at the most.
TIMES_OF_MANY = {torch.float64: 1 + 1e-14, torch.float32: 1.000001, torch.float16: 1.0025, torch.bfloat16: 0.98}


def many(draw):
    """Two thousand entries, each rounded by itself."""
    x, y = draw(64, 32), draw(64, 32)
    d = draw(64, 32).detach()
    (torch.tanh(x * y) * torch.sigmoid(x)).backward(d)
    times = TIMES_OF_MANY[x.dtype]
    slips = {f"dL/d{name}: times {times}": (leaf.grad.double() * times).to(x.dtype) for name, leaf in {"x": x, "y": y}.items()}
    return {"x": x, "y": y}, {"dL/dz": d}, slips


def bent(draw):
    """The steepest places of a sine whose argument 16 bits hold to a quarter, so that its slope bends within a rounding."""
    grid = torch.arange(128.0) / 32 + 8
    x = grid[torch.sin(grid.double() ** 2).abs() < 0.06].to(draw(1).dtype).requires_grad_()
    d = torch.ones_like(x)
    torch.sin(x * x).backward(d)
    return {"x": x}, {"dL/dz": d}, {"dL/dx: with the sign turned": -x.grad}


def film(draw):
    """A broadcast product, whose backward pass stores the products of what is given before it adds up the rows."""
    x, g, b = draw(64, 32), draw(32), draw(32)
    d = draw(64, 32).detach()
    (x * (1 + g) + b).backward(d)
    cut = dropped(d, 16)
    slips = {"dL/dg: the last rows dropped": (cut * x.detach()).sum(0), "dL/db: the last rows dropped": cut.sum(0)}
    return {"x": x, "g": g, "b": b}, {"dL/dz": d}, slips


def ignored(draw):
    """Rows that do not count: the mean is over the others."""
    z = draw(128, 20)
    t = torch.arange(128) * 7 % 20
    t[::25] = -100
    F.cross_entropy(z, t).backward()
    counted = (t != -100).sum()
    return {"z": z}, {"t": t}, {"dL/dz: over all rows": (z.grad.double() * counted / 128).to(z.dtype), "dL/dz: negative": -z.grad}


# What an inverse square makes large beside all else, and a format holds.
SMALL = {torch.float64: 1e-5, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 1e-3}


def wide(draw):
    """One entry beside which rounding of the largest would hide all others."""
    x, y = draw(4, 3), draw(4, 3)
    with torch.no_grad():
        x[0, 0] = SMALL[x.dtype]
    d = draw(4, 3).detach()
    (y / x).backward(d)
    others = torch.ones_like(x)
    others[1:] = 2
    turned = torch.ones_like(x)
    turned[2, 1] = -1
    slips = {"dL/dx: others twice": x.grad * others, "dL/dx: one sign turned": x.grad * turned}
    return {"x": x, "y": y}, {"dL/dz": d}, slips


def weighed(draw):
    """A logistic loss whose positive labels weigh more: PyTorch subtracts `p t` from `(p t + 1 - t) sigmoid(z)`."""
    z = (3 * draw(64, 8).detach()).requires_grad_()
    t = (draw(64, 8).detach() > 0).to(z.dtype)
    p = draw(8).detach().abs() + 0.5
    F.binary_cross_entropy_with_logits(z, t, pos_weight=p).backward()
    plain = torch.sigmoid(z.detach()) - t
    slips = {"dL/dz: without the weights": plain / plain.numel(), "dL/dz: negative": -z.grad}
    return {"z": z}, {"t": t, "p": p}, slips


def saturated(draw):
    """A GELU far from 0, whose hyperbolic tangent is 1 in every format."""
    x = (4 * draw(8, 16).detach()).requires_grad_()
    d = draw(8, 16).detach()
    F.gelu(x, approximate="tanh").backward(d)
    largest = x == x.max()
    slips = {
        "dL/dx: nothing at the largest": x.grad * ~largest,
        "dL/dx: the sign turned at the largest": torch.where(largest, -x.grad, x.grad),
    }
    return {"x": x}, {"dL/dy": d}, slips


def causal(draw):
    """Attention that looks back alone: what lies ahead is hidden by −∞."""
    Q, K, V = draw(6, 4), draw(6, 4), draw(6, 4)
    seen = torch.ones(6, 6).tril() > 0
    S = Q @ K.T / 2
    O = torch.softmax(S.masked_fill(~seen, -torch.inf), 1) @ V
    (O**2).sum().backward()
    unmasked = torch.softmax(S.detach(), 1).T @ (2 * O.detach())
    slips = {
        "dL/dV: negative": -V.grad,
        "dL/dV: without the mask": unmasked,
        "dL/dV: the first row missing": torch.cat([torch.zeros_like(V.grad[:1]), V.grad[1:]]),
    }
    return {"V": V, "Q": Q, "K": K}, {}, slips


def classifier(draw):
    """Cross-entropy of logits of a hidden layer, some of them large."""
    X, W, V = draw(5, 4), draw(4, 6), draw(6, 3)
    t = torch.tensor([2, 1, 2, 0, 1])
    F.cross_entropy(F.gelu(X @ W) @ V, t).backward()
    rows = X.grad.abs().amax(1)
    largest = (rows == rows.max())[:, None]
    slips = {"dL/dX: nothing of the largest row": X.grad * ~largest, "dL/dX: negative": -X.grad}
    return {"X": X, "W": W, "V": V}, {"t": t}, slips


def attended(draw):
    """Attention whose last key one query sees: PyTorch's softmax has its backward pass as one kernel."""
    Q, K, V = draw(5, 4), draw(5, 4), draw(5, 4)
    seen = torch.ones(5, 5).tril() > 0
    O = torch.softmax((Q @ K.T / 2).masked_fill(~seen, -torch.inf), 1) @ V
    (O**2).sum().backward()
    last = torch.arange(5)[:, None] == 4
    slips = {"dL/dK: the last row missing": K.grad * ~last, "dL/dQ: the last row missing": Q.grad * ~last}
    return {"V": V, "Q": Q, "K": K}, {}, slips


def recurrent(draw):
    """An LSTM of three units and five steps."""
    X, Wx, Wh, b = draw(5, 2), draw(2, 12), draw(3, 12), draw(12)
    s, c = torch.zeros(3, dtype=X.dtype), torch.zeros(3, dtype=X.dtype)
    for t in range(5):
        i, f, g, o = (X[t] @ Wx + s @ Wh + b).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        s = torch.sigmoid(o) * torch.tanh(c)
    (s**2).sum().backward()
    slips = {"dL/dWx: times {0}": Wx.grad, "dL/db: times {0}": b.grad}
    times = TIMES[X.dtype]
    slips = {what.format(times): (right.double() * times).to(X.dtype) for what, right in slips.items()}
    return {"Wh": Wh, "Wx": Wx, "b": b, "X": X}, {}, slips


def plain(tensors):
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


# Numbers at which these slips are near to what rounding does.
SEEDS = {attended: 1, recurrent: 3}


if __name__ == "__main__":
    for program in (bias, labels, masked, dropout, hidden, layernorm, contracted, offset, single, stated, many, bent, film, ignored, wide, weighed, saturated, causal, classifier, attended, recurrent):
        for name, dtype in DTYPES.items():
            torch.manual_seed(SEEDS.get(program, 11))
            leaves, others, slips = program(lambda *shape: torch.randn(shape).to(dtype).requires_grad_())
            right = {f"dL/d{n}": leaf.grad for n, leaf in leaves.items()}
            first = next(iter(right))
            slips[f"{first}: times {TIMES[dtype]}"] = (right[first].double() * TIMES[dtype]).to(dtype)
            # What 16 bits leave of terms that cancel hides these.
            if program in (offset, single, stated) and dtype not in (torch.float64, torch.float32):
                slips = {}
            everything = plain(leaves | others | right | slips)
            save_file(everything, HERE / f"{program.__name__}-{name}.safetensors")
