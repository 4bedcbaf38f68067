"""torch_peer.py CASE SAMPLES BATCH THREADS: the benchmarks by PyTorch, eager. CASE is a key of the table below."""

import sys
import time

import torch
from torch.nn import functional

case, samples, batch, threads = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(threads)
torch.manual_seed(0)


def toy():
    w, g, b = (torch.randn(s, requires_grad=True) for s in ((2, 3), (2,), (2,)))
    x = torch.randn(3)

    def call():
        a = w @ x
        u = (a**2).mean().sqrt()
        v = g * (a / u) + b
        return torch.autograd.grad((v**2).sum(), (w, g, b))

    return call


def linear():
    n, d, m = 64, 4096, 4096
    x, w, b = (torch.randn(s, requires_grad=True) for s in ((n, d), (d, m), (m,)))
    dz = torch.randn(n, m)
    return lambda: torch.autograd.grad(torch.addmm(b, x, w), (x, w, b), dz)


SIZE = 4096


def rows(function, *parameters):
    """A function of rows, with its gradients by them and by parameters of a row."""
    x = torch.randn(SIZE, SIZE, requires_grad=True)
    parameters = [torch.randn(SIZE, requires_grad=True) for _ in parameters]
    dy = torch.randn(SIZE, SIZE)
    return lambda: torch.autograd.grad(function(x, *parameters), (x, *parameters), dy)


def cross_entropy():
    x = torch.randn(SIZE, SIZE, requires_grad=True)
    classes = torch.arange(SIZE) * 7919 % SIZE
    return lambda: torch.autograd.grad(functional.cross_entropy(x, classes), x)


def residual():
    x = torch.randn(1024, 512)
    weights = [torch.randn(512, 512, requires_grad=True) for _ in range(20)]

    def call():
        h = x
        for w in weights:
            h = h + torch.tanh(h @ (w * 0.03))
        return torch.autograd.grad((h**2).sum(), weights)

    return call


def gradcheck(fast_mode):
    n, d, m = 32, 64, 64
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((n, d), (d, m), (m,))]

    def call():
        assert torch.autograd.gradcheck(lambda x, w, b: torch.addmm(b, x, w), inputs, fast_mode=fast_mode)

    return call


call = {
    "toy": toy,
    "linear": linear,
    "rms_norm": lambda: rows(lambda x, g: functional.rms_norm(x, (SIZE,), g, 1e-6), "g"),
    "layer_norm": lambda: rows(lambda x, g, b: functional.layer_norm(x, (SIZE,), g, b), "g", "b"),
    "softmax": lambda: rows(lambda x: functional.softmax(x, -1)),
    "cross_entropy": cross_entropy,
    "residual": residual,
    "gradcheck-slow": lambda: gradcheck(False),
    "gradcheck-fast": lambda: gradcheck(True),
}[case]()
seconds = []
for sample in range(samples + 1):
    start = time.perf_counter()
    for _ in range(batch):
        call()
    if sample:
        seconds.append((time.perf_counter() - start) / batch)
print(seconds)
