"""Writes <layer>-<dtype>.safetensors: what PyTorch computes for the layers of the .grad files beside this one.

Run with PyTorch 2.15 on the CPU, NumPy, ml_dtypes and safetensors. Each layer is run in f64, f32, f16 and bf16, on inputs that
are rounded to that format; each file holds the inputs, the outputs, and the gradients of autograd, and wrong gradients beside
them, computed in the same format with a slip: `dL/dW: transposed` is what stands for dL/dW where the factor is transposed.
linear.npz and linear-wrong.npz are what a person would dump: f32 numbers computed in bf16 for want of it in NumPy.
"""

import pathlib

import ml_dtypes
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def linear(draw):
    X, W, b = draw(5, 4), draw(4, 4), draw(4)
    Z = X @ W + b
    g = draw(5, 4).detach()
    Z.backward(g)
    slips = {
        "dL/dX: transposed": g @ W,
        "dL/dW: transposed": g.T @ X,
        "dL/dW: divided by N": W.grad / 5,
        "dL/dW: the last row only": torch.outer(X[-1], g[-1]),
        "dL/db: the last row only": g[-1],
        "dL/dX: doubled": 2 * X.grad,
        "dL/dX: negative": -X.grad,
    }
    return {"X": X, "W": W, "b": b}, {"dL/dZ": g, "Z": Z}, slips


def tanh(draw):
    X, T, W, b, V = draw(6, 5), draw(6, 2).detach(), draw(5, 7), draw(7), draw(7, 2)
    H1 = torch.tanh(X @ W + b)
    Y = H1 @ V
    L = ((Y - T) ** 2).mean()
    L.backward()
    dY = 2 * (Y - T) / 12
    dH = dY @ V.T
    slips = {
        "dL/dV: without 1/(NK)": 12 * V.grad,
        "dL/dW: without the derivative of tanh": X.T @ dH,
        "dL/dW: the derivative at the wrong operand": X.T @ (dH * (1 - torch.tanh(H1) ** 2)),
        "dL/dX: the derivative without the square": (dH * (1 - H1)) @ W.T,
    }
    return {"X": X, "W": W, "b": b, "V": V}, {"T": T, "Y": Y, "L": L}, slips


def gelu(draw):
    X, W, b, V = draw(6, 5), draw(5, 7), draw(7), draw(7, 3)
    Z = X @ W + b
    H = F.gelu(Z, approximate="tanh")
    Y = H @ V
    g = draw(6, 3).detach()
    Y.backward(g)
    dH = g @ V.T
    slips = {
        "dL/dV: of the value before the activation": Z.T @ g,
        "dL/dW: as if it were relu": X.T @ (dH * (Z > 0)),
    }
    return {"X": X, "W": W, "b": b, "V": V}, {"dL/dY": g, "Y": Y}, slips


def xent(draw):
    X, W, b = draw(7, 5), draw(5, 3), draw(3)
    labels = torch.tensor([0, 1, 2, 2, 1, 0, 2])
    z = X @ W + b
    L = F.cross_entropy(z, labels)
    L.backward()
    onehot = F.one_hot(labels, 3)
    a = torch.softmax(z, 1)
    slips = {
        "dL/dW: a sum, not a mean": 7 * W.grad,
        "dL/dW: without the labels": X.T @ a / 7,
        "dL/dX: a last softmax too many": ((a - onehot) * a / 7) @ W.T,
        "dL/db: the last row only": (a - onehot)[-1] / 7,
    }
    return {"X": X, "W": W, "b": b}, {"T": onehot, "z": z, "L": L}, slips


def layernorm(draw):
    x, g, b = draw(5, 8), draw(8), draw(8)
    y = F.layer_norm(x, (8,), g, b, 1e-5)
    d = draw(5, 8).detach()
    y.backward(d)
    m = x.mean(1, keepdim=True)
    s = torch.sqrt(((x - m) ** 2).mean(1, keepdim=True) + 1e-5)
    h, t = (x - m) / s, d * g
    slips = {
        "dL/dx: without both projections": t / s,
        "dL/dx: without the path through the variance": (t - t.mean(1, keepdim=True)) / s,
        "dL/dx: without the path through the mean": (t - h * (t * h).mean(1, keepdim=True)) / s,
        "dL/dg: without the normalisation": (d * x).sum(0),
        "dL/db: the last row only": d[-1],
    }
    return {"x": x, "g": g, "b": b}, {"dL/dy": d, "y": y}, slips


def rmsnorm(draw):
    x, g = draw(5, 8), draw(8)
    y = F.rms_norm(x, (8,), g, 1e-5)
    d = draw(5, 8).detach()
    y.backward(d)
    u = torch.sqrt((x ** 2).mean(1, keepdim=True) + 1e-5)
    h, t = x / u, d * g
    slips = {
        "dL/dx: without the projection": t / u,
        "dL/dx: the projection without 1/D": (t - h * (t * h).sum(1, keepdim=True)) / u,
        "dL/dg: the mean of the rows": g.grad / 5,
    }
    return {"x": x, "g": g}, {"dL/dy": d, "y": y}, slips


def attention(draw):
    Q, K, V = draw(4, 5), draw(6, 5), draw(6, 3)
    A = torch.softmax(Q @ K.T / 5 ** 0.5, 1)
    O = A @ V
    d = draw(4, 3).detach()
    O.backward(d)
    dA = d @ V.T
    slips = {
        "dL/dQ: without 1/sqrt(D)": Q.grad * 5 ** 0.5,
        "dL/dQ: softmax without its projection": (A * dA) @ K / 5 ** 0.5,
        "dL/dK: softmax without its projection": (A * dA).T @ Q / 5 ** 0.5,
        "dL/dV: the scores unnormalised": (Q @ K.T / 5 ** 0.5).T @ d,
    }
    return {"Q": Q, "K": K, "V": V}, {"dL/dO": d, "A": A, "O": O}, slips


def plain(tensor):
    return tensor.detach().clone().contiguous()


if __name__ == "__main__":
    for layer in (linear, tanh, gelu, xent, layernorm, rmsnorm, attention):
        for name, dtype in DTYPES.items():
            torch.manual_seed(3)
            leaves, others, slips = layer(lambda *shape: torch.randn(shape).to(dtype).requires_grad_())
            gradients = {f"dL/d{n}": leaf.grad for n, leaf in leaves.items()}
            everything = leaves | others | gradients | slips
            save_file({n: plain(t) for n, t in everything.items()}, HERE / f"{layer.__name__}-{name}.safetensors")
    torch.manual_seed(3)
    leaves, others, slips = linear(lambda *shape: torch.randn(shape).bfloat16().requires_grad_())
    right = leaves | others | {"dL_dW": leaves["W"].grad, "X.grad": leaves["X"].grad}
    wrong = leaves | {"dL/dZ": others["dL/dZ"], "∂L/∂X": slips["dL/dX: transposed"], "dL/dW": leaves["W"].grad}
    np.savez(HERE / "linear.npz", **{n: plain(t).float().numpy() for n, t in right.items()})
    np.savez(HERE / "linear-wrong.npz",
             **{n: plain(t).float().numpy().astype(ml_dtypes.bfloat16) for n, t in wrong.items()})
