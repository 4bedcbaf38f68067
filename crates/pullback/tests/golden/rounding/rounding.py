"""Writes <what>.safetensors: numbers that are off by rounding alone, and numbers beside them that are not.

Run with PyTorch 2.15 on the CPU, NumPy and safetensors. Each file holds the inputs of a program that tests/pullback/rounded.rs
states, and what PyTorch or NumPy returns as its gradients; wrong gradients stand beside them, named by their slip:
`dL/dW: times 1.1`.
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def save(name, tensors):
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, HERE / f"{name}.safetensors")


def product(dtype, n, slips=True):
    """Z = X W, with a sum over n in dL/dW."""
    X, W, g = torch.randn(n, 4).to(dtype), torch.randn(4, 4).to(dtype), torch.randn(n, 4).to(dtype)
    X.requires_grad_(), W.requires_grad_()
    (X @ W).backward(g)
    exact = W.grad.double()
    # A step of bf16 is up to 1/128 of a number, and rounding of single results may add up to two.
    least = 1.05 if dtype == torch.bfloat16 else 1.02
    wrong = {
        f"dL/dW: times {least}": least * exact,
        "dL/dW: times 1.1": 1.1 * exact,
        "dL/dW: rows times 0.9 to 1.1": exact * torch.linspace(0.9, 1.1, 4)[:, None].double(),
        "dL/dW: 10 % noise": exact * (1 + 0.1 * torch.randn(4, 4).double()),
        "dL/dW: with weight decay": exact + W.double(),
        "dL/dW: the smaller half negative": torch.where(exact.abs() < exact.abs().median(), -exact, exact),
    }
    kept = {key: value.to(dtype) for key, value in wrong.items()} if slips else {}
    return {"X": X, "W": W, "dL/dZ": g, "dL/dW": W.grad, **kept}


def naive(n):
    """The same in bf16, added up in bf16."""
    dump = product(torch.bfloat16, n, slips=False)
    total = torch.zeros(4, 4, dtype=torch.bfloat16)
    for x, g in zip(dump["X"].detach(), dump["dL/dZ"]):
        total = total + torch.outer(x, g)
    return {**dump, "dL/dW": total}


def tf32(n):
    """The same in f32, of operands cut off to the 11 bits of TF32."""
    dump = product(torch.float32, n, slips=False)
    cut = lambda t: (t.detach().view(torch.int32) & ~0x1FFF).view(torch.float32)
    return {**dump, "dL/dW": cut(dump["X"]).T @ cut(dump["dL/dZ"])}


def scalar():
    """L = sum((s x)²)."""
    x = torch.randn(50).to(torch.bfloat16)
    s = torch.tensor(0.7).to(torch.bfloat16).requires_grad_()
    ((s * x) ** 2).sum().backward()
    return {"x": x, "s": s, "dL/ds": s.grad, "dL/ds: times 1.1": (1.1 * s.grad.double()).to(torch.bfloat16)}


def relu(dtype):
    """y = relu(x g + b), until some sign turns by rounding."""
    while True:
        x, g, b = torch.randn(64, 8).to(dtype), torch.rand(8).to(dtype), torch.randn(8).to(dtype)
        z = x.double() * g.double() + b.double()
        if ((z > 0) != (x * g + b > 0)).sum() >= 2 and z.abs().min() > 0:
            break
    for value in (x, g, b):
        value.requires_grad_()
    dy = torch.randn(64, 8).to(dtype)
    torch.relu(x * g + b).backward(dy)
    masked = lambda mask: (dy.double() * mask * g.double()).to(dtype)
    wrong = {
        "dL/dx: without the mask": masked(torch.ones_like(z)),
        "dL/dx: a mask of x": masked(x > 0),
        "dL/dx: times 1.05": (1.05 * x.grad.double()).to(dtype),
    }
    grads = {"dL/dx": x.grad, "dL/dg": g.grad, "dL/db": b.grad}
    return {"x": x, "g": g, "b": b, "dL/dy": dy, **grads, **wrong}


def largest():
    """y = max(X w) along rows, until elements tie in bf16 that do not tie."""
    while True:
        X, w = torch.randn(32, 16).to(torch.bfloat16), torch.rand(16).to(torch.bfloat16)
        z = X * w
        ties = (z == z.amax(1, keepdim=True)).sum(1) > 1
        if ties.sum() >= 1:
            break
    X.requires_grad_(), w.requires_grad_()
    dy = torch.randn(32).to(torch.bfloat16)
    torch.amax(X * w, 1).backward(dy)
    wrong = {"dL/dX: to the first element": torch.zeros_like(X).index_copy(1, torch.tensor([0]), dy[:, None])}
    return {"X": X, "w": w, "dL/dy": dy, "dL/dX": X.grad, **wrong}


def ones(n):
    """z = x + b of a cotangent that is 0.1 throughout, added up by NumPy one row after the other."""
    g = np.full((n, 3), 0.1, np.float32)
    db = np.sum(g, axis=0)
    return {
        "x": torch.rand(n, 3),
        "b": torch.zeros(3),
        "dL/dz": torch.from_numpy(g),
        "dL/db": torch.from_numpy(db),
        "dL/db: times 1.0005": torch.from_numpy(db) * 1.0005,
    }


torch.manual_seed(0)
save("product-bf16", product(torch.bfloat16, 200))
save("product-f16", product(torch.float16, 400))
save("long-bf16", product(torch.bfloat16, 600))
save("naive-bf16", naive(600))
save("tf32", tf32(24))
save("scalar-bf16", scalar())
save("relu-bf16", relu(torch.bfloat16))
save("max-bf16", largest())
save("ones-f32", ones(200))
single = product(torch.float32, 24, slips=False)
save("single-in-double", {key: value.double() for key, value in single.items()})
