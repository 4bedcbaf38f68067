"""Pullback for PyTorch: backward passes that run, judged by the forward pass that they belong to.

>>> import torch, pullback.torch
>>> class Square(torch.autograd.Function):
...     @staticmethod
...     def forward(ctx, x):
...         ctx.save_for_backward(x)
...         return x**2
...
...     @staticmethod
...     def backward(ctx, dy):
...         (x,) = ctx.saved_tensors
...         return dy * x
>>> report = pullback.torch.check(Square, torch.randn(5, dtype=torch.float64, requires_grad=True))
>>> report.claim("x").diagnosis.cause
'missing-factor'
"""

from __future__ import annotations

from ._audit import Audit, audit
from ._check import check
from ._gradcheck import gradcheck, gradgradcheck
from ._trace import Traced, trace

__all__ = ["Audit", "Traced", "audit", "check", "gradcheck", "gradgradcheck", "trace"]
