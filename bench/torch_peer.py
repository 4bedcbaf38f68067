"""torch_peer.py CASE SAMPLES BATCH THREADS: the benchmarks by PyTorch, eager. CASE: toy, linear, gradcheck-slow, gradcheck-fast."""

import sys
import time

import torch

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


def gradcheck(fast_mode):
    n, d, m = 32, 64, 64
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((n, d), (d, m), (m,))]

    def call():
        assert torch.autograd.gradcheck(lambda x, w, b: torch.addmm(b, x, w), inputs, fast_mode=fast_mode)

    return call


call = {
    "toy": toy,
    "linear": linear,
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
