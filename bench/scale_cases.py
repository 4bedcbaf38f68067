"""The cases of `bench/scale`: files and dumps of ours, and what PyTorch does to check or compute the same.

    scale_cases.py list                 prints the cases, as JSON
    scale_cases.py write CASE FOLDER    writes a case, and prints the files to check, what PyTorch does, and the exit status of ours
    scale_cases.py peer CASE            prints the seconds that PyTorch takes
"""

import json
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


GPT = """x: [B=4, T=64, C=64] ~ randn
g1: [C] ~ randn
b1: [C] ~ randn
Wqkv: [C, 3*C] ~ randn
bqkv: [3*C] ~ randn
Wo: [C, C] ~ randn
g2: [C] ~ randn
b2: [C] ~ randn
Wf: [C, 4*C] ~ randn
Wp: [4*C, C] ~ randn
dy: [B, T, C] ~ randn
fn centred(x) = x - mean(x, axis=-1, keepdims=true)
fn layernorm(x, g, b) = centred(x) / sqrt(mean(centred(x)^2, axis=-1, keepdims=true) + 1e-5) * g + b
fn heads(x) = permute(reshape(x, [B, T, 4, 16]), [0, 2, 1, 3])
h = layernorm(x, g1, b1)
qkv = h @ Wqkv + bqkv
q = heads(qkv[:, :, :C])
k = heads(qkv[:, :, C:2*C])
v = heads(qkv[:, :, 2*C:])
p = softmax(q @ transpose(k, 2, 3) / 4 - 1e30 * (arange(T)[:, None] < arange(T)[None, :]), axis=-1)
x1 = x + reshape(permute(p @ v, [0, 2, 1, 3]), [B, T, C]) @ Wo
h2 = layernorm(x1, g2, b2) @ Wf
x2 = x1 + 0.5 * h2 * (1 + tanh(0.7978845608028654 * (h2 + 0.044715 * h2^3))) @ Wp
L = sum(x2 * dy)
"""


def gpt_inputs():
    torch.manual_seed(0)
    c = 64
    shapes = {
        "x": (4, 64, c), "g1": (c,), "b1": (c,), "Wqkv": (c, 3 * c), "bqkv": (3 * c,), "Wo": (c, c), "g2": (c,),
        "b2": (c,), "Wf": (c, 4 * c), "Wp": (4 * c, c), "dy": (4, 64, c),
    }
    return {name: torch.randn(shape) / (8 if len(shape) == 2 else 1) for name, shape in shapes.items()}


def gpt(x, g1, b1, wqkv, bqkv, wo, g2, b2, wf, wp, dy):
    def heads(x):
        return x.reshape(4, 64, 4, 16).permute(0, 2, 1, 3)

    h = F.layer_norm(x, (64,), g1, b1)
    q, k, v = (heads(part) for part in (h @ wqkv + bqkv).split(64, dim=-1))
    mask = torch.full((64, 64), -1e30, dtype=x.dtype).triu(1)
    p = torch.softmax(q @ k.transpose(2, 3) / 4 + mask, dim=-1)
    x1 = x + (p @ v).permute(0, 2, 1, 3).reshape(4, 64, 64) @ wo
    x2 = x1 + F.gelu(F.layer_norm(x1, (64,), g2, b2) @ wf, approximate="tanh") @ wp
    return (x2 * dy).sum()


CASES = {
    "layers-10": "10 residual tanh layers, 4 × 8, all 31 claims",
    "layers-40": "40 of them, 121 claims",
    "layers-60": "60 of them, 181 claims",
    "norm": "RMSNorm 1024 × 4096, an f32 dump",
    "entropy": "cross-entropy 512 × 8192, an f32 dump",
    "gpt": "GPT block, B=4 T=64 C=64, an f32 dump",
    "linear": "linear layer, N=64, D=M=4096, an f32 dump",
    "inverse": "`Y = inv(A)`, n = 300, ∂L/∂A",
    "chain": "a wrong claim behind 4000 statements",
}
GRADCHECK, FAST, PASS = "`gradcheck`, all inputs", "`gradcheck`, `fast_mode`", "a forward and backward pass, f64"


def write(name, folder):
    """Writes a case; the files to check, what PyTorch does beside it, and the exit status that is expected."""
    path, data = folder / f"{name}.grad", folder / f"{name}.npz"
    kind, _, size = name.partition("-")
    dumped = [path, "--data", data]
    if kind == "layers":
        path.write_text(layers(int(size)))
        return [path], GRADCHECK, 0
    if kind == "norm":
        path.write_text(NORM)
        x, g, w = norm_inputs()
        dump(data, {"x": x, "g": g}, lambda x, g: (rms_norm(x, g) * w).sum(), w=w.numpy())
        return dumped, FAST, 0
    if kind == "entropy":
        path.write_text(ENTROPY)
        z, labels = entropy_inputs()
        dump(data, {"z": z}, lambda z: cross_entropy(z, labels), t=labels.numpy())
        return dumped, FAST, 0
    if kind == "gpt":
        path.write_text(GPT)
        dump(data, gpt_inputs(), gpt)
        return dumped, PASS, 0
    if kind == "linear":
        path.write_text(LINEAR)
        x, w, b, c = linear_inputs()
        dump(data, {"X": x, "W": w, "b": b}, lambda x, w, b: ((x @ w + b) * c).sum(), C=c.numpy())
        return dumped, PASS, 0
    if kind == "inverse":
        path.write_text(INVERSE)
        return [path], "", 0
    path.write_text(chain(4000))
    return [path], "", 1


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def a_pass(call, inputs):
    """The seconds of a forward and backward pass, the second time."""
    leaves = [leaf.double().requires_grad_() for leaf in inputs]
    both = lambda: torch.autograd.grad(call(*leaves), leaves)  # noqa: E731
    both()
    return seconds(both)


def peer_of(name):
    """The seconds that PyTorch takes."""
    kind, _, size = name.partition("-")
    torch.manual_seed(0)
    if kind == "layers":
        inputs = [leaf.requires_grad_() for leaf in layers_inputs(int(size))]
        return seconds(lambda: torch.autograd.gradcheck(run_layers, inputs))
    if kind == "gpt":
        return a_pass(gpt, gpt_inputs().values())
    if kind == "linear":
        x, w, b, c = linear_inputs()
        return a_pass(lambda x, w, b: ((x @ w + b) * c.double()).sum(), (x, w, b))
    if kind == "norm":
        x, g, w = (array.double() for array in norm_inputs())
        inputs, call = [x, g], lambda x, g: (rms_norm(x, g) * w).sum()
    else:
        z, labels = entropy_inputs()
        inputs, call = [z.double()], lambda z: cross_entropy(z, labels)
    inputs = [leaf.requires_grad_() for leaf in inputs]
    return seconds(lambda: torch.autograd.gradcheck(call, inputs, fast_mode=True))


def main():
    match sys.argv[1:]:
        case ["list"]:
            print(json.dumps(CASES))
        case ["write", name, folder]:
            files, what, status = write(name, Path(folder))
            print(json.dumps([[str(file) for file in files], what, status]))
        case ["peer", name]:
            print(peer_of(name))
        case _:
            sys.exit(__doc__)


main()
