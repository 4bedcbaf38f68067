"""The cases of `bench/scale`: files and dumps of ours, and what PyTorch does to check or compute the same.

    scale_cases.py PEER FOLDER      prints the seconds that PyTorch takes
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def layers(count):
    """Residual tanh layers of 4 x 8, the gradients by all values claimed."""
    lines = ["seed 1", "x0: [4, 8] ~ randn"] + [f"W{k}: [8, 8] ~ randn" for k in range(1, count + 1)]
    claims = [f"dL/dx{count} = 2 * x{count}"]
    for k in range(1, count + 1):
        lines += [f"h{k} = x{k - 1} @ W{k} * 0.3", f"x{k} = x{k - 1} + tanh(h{k})"]
    for k in range(count, 0, -1):
        claims += [
            f"dL/dh{k} = dL/dx{k} * (1 - tanh(h{k})^2)",
            f"dL/dW{k} = x{k - 1}.T @ dL/dh{k} * 0.3",
            f"dL/dx{k - 1} = dL/dx{k} + dL/dh{k} @ W{k}.T * 0.3",
        ]
    return "\n".join([*lines, f"L = sum(x{count}^2)", *claims, ""])


def layers_inputs(count):
    return [torch.randn(4, 8, dtype=torch.float64)] + [torch.randn(8, 8, dtype=torch.float64) for _ in range(count)]


def run_layers(x, *weights):
    for w in weights:
        x = x + torch.tanh(x @ w * 0.3)
    return (x**2).sum()


def rms_norm(x, g):
    return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * g


def cross_entropy(z, labels):
    return F.cross_entropy(z, labels)


def dump(path, inputs, call, dtype=torch.float32, **others):
    """The inputs and gradients of a call, in a precision."""
    leaves = {name: array.to(dtype).requires_grad_() for name, array in inputs.items()}
    loss = call(*leaves.values())
    grads = torch.autograd.grad(loss, list(leaves.values()))
    arrays = {name: leaf.detach().numpy() for name, leaf in leaves.items()}
    arrays |= {f"dL/d{name}": grad.numpy() for name, grad in zip(leaves, grads)}
    np.savez(path, **arrays, **others)


def norm_inputs():
    torch.manual_seed(0)
    n, d = 1024, 4096
    return torch.randn(n, d), torch.randn(d), torch.randn(n, d)


def entropy_inputs():
    torch.manual_seed(0)
    return torch.randn(512, 8192), torch.randint(8192, (512,))


def linear_inputs():
    torch.manual_seed(0)
    return torch.randn(64, 4096), torch.randn(4096, 4096) / 64, torch.randn(4096), torch.randn(64, 4096)


NORM = """x: [n, d] ~ randn
g: [d] ~ randn
w: [n, d] ~ randn
r = (mean(x^2, axis=1, keepdims=true) + 1e-5)^-0.5
y = x * r * g
L = sum(y * w)
"""
ENTROPY = """z: [n=8, c=16] ~ randn
t: [n] ~ randint(0, 16)
L = mean(logsumexp(z, axis=1) - sum(z * (t[:, None] == arange(c)), axis=1))
"""
LINEAR = """X: [n, d] ~ randn
W: [d, m] ~ randn
b: [m] ~ randn
C: [n, m] ~ randn
Z = X @ W + b
L = sum(Z * C)
"""
INVERSE = """seed 1
A: [300, 300] ~ randn
C: [300, 300] ~ randn
Y = inv(A)
L = sum(Y * C)
dL/dA = -Y.T @ C @ Y.T
"""


def chain(count):
    lines = ["seed 1", "x0: [3] ~ randn"]
    lines += [f"x{k} = x{k - 1} + 0.001 * sin(x{k - 1})" for k in range(1, count + 1)]
    return "\n".join([*lines, f"L = sum(x{count}^2)", f"dL/dx{count} = 3 * x{count}", ""])


CASES = ["layers-10", "layers-40", "layers-60", "norm", "entropy", "linear", "inverse", "chain"]


def write(name, folder):
    """Writes a case; the files to check, and what PyTorch does beside it."""
    path = folder / f"{name}.grad"
    data = folder / f"{name}.npz"
    kind, _, size = name.partition("-")
    if kind == "layers":
        path.write_text(layers(int(size)))
        return [path], [(f"slow-{size}", "gradcheck of all inputs")]
    if kind == "norm":
        path.write_text(NORM)
        x, g, w = norm_inputs()
        dump(data, {"x": x, "g": g}, lambda x, g: (rms_norm(x, g) * w).sum(), w=w.numpy())
        return [path, "--data", data], [("fast-norm", "gradcheck(fast_mode=True), f64")]
    if kind == "entropy":
        path.write_text(ENTROPY)
        z, labels = entropy_inputs()
        dump(data, {"z": z}, lambda z: cross_entropy(z, labels), t=labels.numpy())
        return [path, "--data", data], [("fast-entropy", "gradcheck(fast_mode=True), f64")]
    if kind == "linear":
        path.write_text(LINEAR)
        x, w, b, c = linear_inputs()
        dump(data, {"X": x, "W": w, "b": b}, lambda x, w, b: ((x @ w + b) * c).sum(), C=c.numpy())
        return [path, "--data", data], [("pass-linear", "one forward and backward, f64")]
    if kind == "inverse":
        path.write_text(INVERSE)
        return [path], []
    path.write_text(chain(4000))
    return [path], []


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peer(name):
    """The seconds that PyTorch takes."""
    kind, _, what = name.partition("-")
    torch.manual_seed(0)
    if kind == "slow":
        inputs = [leaf.requires_grad_() for leaf in layers_inputs(int(what))]
        return seconds(lambda: torch.autograd.gradcheck(run_layers, inputs))
    if what == "linear":
        x, w, b, c = (array.double() for array in linear_inputs())
        leaves = [leaf.requires_grad_() for leaf in (x, w, b)]
        call = lambda: torch.autograd.grad(((x @ w + b) * c).sum(), leaves)  # noqa: E731
        call()
        return seconds(call)
    if what == "norm":
        x, g, w = (array.double() for array in norm_inputs())
        call = lambda x, g: (rms_norm(x, g) * w).sum()  # noqa: E731
        inputs = [x.requires_grad_(), g.requires_grad_()]
    else:
        z, labels = entropy_inputs()
        call = lambda z: cross_entropy(z, labels)  # noqa: E731
        inputs = [z.double().requires_grad_()]
    return seconds(lambda: torch.autograd.gradcheck(call, inputs, fast_mode=True))


if __name__ == "__main__":
    print(peer(sys.argv[1]))
