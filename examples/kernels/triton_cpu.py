"""Triton kernels of others, checked forward and backward on a CPU: those of Liger, run by Triton's interpreter.

Needs torch, triton, liger-kernel and pullback; no GPU. Prints a line for each kernel, and the whole diagnosis of one that is wrong.

    python examples/kernels/triton_cpu.py [NAME…]
"""

import importlib
import os
import sys
import time

os.environ["TRITON_INTERPRET"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
import triton
import triton.language as tl
import triton.language.extra.cuda.libdevice as cuda_libdevice
import triton.language.extra.libdevice as libdevice
from triton.runtime import interpreter

import pullback


@triton.jit
def _tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def _rsqrt(x):
    return 1 / tl.sqrt(x)


def teach_the_interpreter():
    """What Liger's kernels use and the interpreter does not know: two device functions, and Python's floats as operands."""
    for module in (libdevice, cuda_libdevice):
        module.tanh, module.rsqrt = _tanh, _rsqrt
    converted = interpreter._implicit_cvt

    def with_floats(argument):
        if type(argument) is float:
            return tl.tensor(interpreter.TensorHandle(np.array([argument], np.float32), tl.float32), tl.float32)
        return converted(argument)

    interpreter._implicit_cvt = with_floats


def sparsemax(x):
    z, _ = torch.sort(x, -1, descending=True)
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    cs = z.cumsum(-1)
    kz = ((1 + k * z) > cs).sum(-1, keepdim=True)
    tau = (cs.gather(-1, kz - 1) - 1) / kz
    return torch.clamp(x - tau, min=0)


def jsd(p, q):
    m = torch.log(0.5 * (p.exp() + q.exp()))
    return 0.5 * ((q.exp() * (q - m)).sum() + (p.exp() * (p - m)).sum()) / p.shape[0]


def kernels():
    """By name: the kernel, the plain function that it is to be, and the arguments."""
    liger = importlib.import_module("liger_kernel.ops")
    torch.manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, requires_grad=True)

    x, y = normal(5, 11), normal(5, 11)
    labels = torch.randint(0, 11, (5,))
    log_p = F.log_softmax(torch.randn(5, 11), -1).requires_grad_()
    p = F.softmax(torch.randn(5, 11), -1).requires_grad_()
    # What is not differentiated is a target.
    log_q, q = F.log_softmax(torch.randn(5, 11), -1), F.softmax(torch.randn(5, 11), -1)
    return {
        "layer_norm": (
            lambda x, g, b: liger.LigerLayerNormFunction.apply(x, g, b, 1e-5),
            lambda x, g, b: F.layer_norm(x, (11,), g, b, 1e-5),
            (x, normal(11), normal(11)),
        ),
        "rms_norm": (
            lambda x, g: liger.LigerRMSNormFunction.apply(x, g, 1e-5, 0.0, "llama", False),
            lambda x, g: g * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5),
            (x, normal(11)),
        ),
        "swiglu": (lambda a, b: liger.LigerSiLUMulFunction.apply(a, b), lambda a, b: F.silu(a) * b, (x, y)),
        "geglu": (
            lambda a, b: liger.LigerGELUMulFunction.apply(a, b),
            lambda a, b: F.gelu(a, approximate="tanh") * b,
            (x, y),
        ),
        "softmax": (lambda x: liger.LigerSoftmaxFunction.apply(x), lambda x: F.softmax(x, -1), (x,)),
        "cross_entropy": (
            lambda x, t: liger.LigerCrossEntropyFunction.apply(x, t, None, -100, 0.0, 0.0, "mean", None, False)[0],
            F.cross_entropy,
            (x, labels),
        ),
        "sparsemax": (lambda x: liger.LigerSparsemaxFunction.apply(x, -1), sparsemax, (x,)),
        "group_norm": (
            lambda x, g, b: liger.LigerGroupNormFunction.apply(x, g, b, 4, 2, 1e-5),
            lambda x, g, b: F.group_norm(x, 2, g, b, 1e-5),
            (normal(3, 4, 7), normal(4), normal(4)),
        ),
        "relu_squared": (lambda x: liger.LigerReLUSquaredFunction.apply(x), lambda x: F.relu(x) ** 2, (x,)),
        "jsd": (lambda p, q: liger.LigerJSDFunction.apply(p, q, None, 0.5, -100), jsd, (log_p, log_q)),
        "tvd": (
            lambda p, q: liger.LigerTVDLossFunction.apply(p, q, None, "batchmean", -100),
            lambda p, q: 0.5 * (p - q).abs().sum() / p.shape[0],
            (p, q),
        ),
        "kl_div": (
            lambda p, q: liger.LigerKLDivLossFunction.apply(p, q, "batchmean", False, 1e-10),
            lambda p, q: F.kl_div(p, q, reduction="batchmean"),
            (log_p, q),
        ),
    }


def main() -> int:
    teach_the_interpreter()
    wanted, wrong = sys.argv[1:], 0
    for name, (kernel, reference, arguments) in kernels().items():
        if wanted and name not in wanted:
            continue
        began = time.time()
        report = pullback.check(kernel, *arguments, reference=reference)
        verdicts = ", ".join(f"{claim.claim} {claim.verdict}" for claim in report.claims)
        print(f"{name:14} {'✓' if report.ok else '✗'} {time.time() - began:5.2f} s  {verdicts}")
        if not report.ok:
            wrong += 1
            print(report)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
