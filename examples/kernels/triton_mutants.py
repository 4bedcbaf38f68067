"""An RMSNorm in Triton, its backward pass, and three mistakes that kernels have: each is put in, and found.

Needs torch, triton and pullback; no GPU: Triton's interpreter runs the kernels.

    python examples/kernels/triton_mutants.py
"""

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

import torch
import triton
import triton.language as tl

import pullback

EPS = 1e-6


@triton.jit
def forward_kernel(X, G, Y, R, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = 0.0
    for start in range(0, n, BLOCK):
        at = start + tl.arange(0, BLOCK)
        x = tl.load(X + row * n + at, mask=at < n, other=0.0)
        total += tl.sum(x * x)
    r = 1 / tl.sqrt(total / n + 1e-6)
    tl.store(R + row, r)
    for start in range(0, n, BLOCK):
        at = start + tl.arange(0, BLOCK)
        x = tl.load(X + row * n + at, mask=at < n, other=0.0)
        g = tl.load(G + at, mask=at < n, other=0.0)
        tl.store(Y + row * n + at, g * x * r, mask=at < n)


@triton.jit
def backward_kernel(
    DY, X, G, R, DX, DG, n, BLOCK: tl.constexpr, DROP_LAST: tl.constexpr, NO_MASK: tl.constexpr, STALE: tl.constexpr
):
    row = tl.program_id(0)
    # The mistake: the row before this one is read.
    r = tl.load(R + (tl.maximum(row - 1, 0) if STALE else row))
    along = 0.0
    # The mistake: the last block of columns, which is not full, is left out of the sum.
    end = n - n % BLOCK if DROP_LAST else n
    for start in range(0, end, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < n
        # The mistake: behind the end of the row stands the next one.
        seen = at < start + BLOCK if NO_MASK else inside
        x = tl.load(X + row * n + at, mask=seen, other=0.0)
        dy = tl.load(DY + row * n + at, mask=seen, other=0.0)
        g = tl.load(G + at, mask=inside, other=1.0)
        along += tl.sum(dy * g * x)
    for start in range(0, n, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < n
        x = tl.load(X + row * n + at, mask=inside, other=0.0)
        dy = tl.load(DY + row * n + at, mask=inside, other=0.0)
        g = tl.load(G + at, mask=inside, other=0.0)
        tl.store(DX + row * n + at, r * (dy * g - x * r * r * along / n), mask=inside)
        tl.store(DG + row * n + at, dy * x * r, mask=inside)


def kernel(**mistakes):
    """The function, with these mistakes."""
    flags = {name: mistakes.get(name, False) for name in ("DROP_LAST", "NO_MASK", "STALE")}

    class TritonRMSNorm(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, g):
            rows, n = x.shape
            y, r = torch.empty_like(x), torch.empty(rows, dtype=x.dtype)
            forward_kernel[(rows,)](x, g, y, r, n, BLOCK=4)
            ctx.save_for_backward(x, g, r)
            return y

        @staticmethod
        def backward(ctx, dy):
            x, g, r = ctx.saved_tensors
            rows, n = x.shape
            # Some rows more than there are, so that what is read behind the last one is memory of ours.
            padded = [torch.cat((one, torch.ones_like(one[:1]))).contiguous() for one in (dy, x)]
            dx, dg = torch.empty_like(x), torch.empty_like(x)
            backward_kernel[(rows,)](*padded, g, r, dx, dg, n, BLOCK=4, **flags)
            return dx, dg.sum(0)

    return TritonRMSNorm


def reference(x, g):
    r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS)
    return g * x * r


def main() -> int:
    torch.manual_seed(0)
    x, g = torch.randn(5, 10), torch.randn(10)
    report = pullback.check(kernel(), x, g, reference=reference)
    print(f"as it is: {'✓' if report.ok else '✗'}\n")
    seen = report.ok
    for mistake in ("DROP_LAST", "NO_MASK", "STALE"):
        report = pullback.check(kernel(**{mistake: True}), x, g, reference=reference)
        seen = seen and report.exit_code == 1
        print(f"{mistake}:\n{report}")
    return int(not seen)


if __name__ == "__main__":
    sys.exit(main())
