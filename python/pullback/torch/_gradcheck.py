"""``gradcheck`` and ``gradgradcheck`` under the signatures of ``torch.autograd``: what fails says why.

PyTorch compares numbers with tolerances that the caller sets; Pullback measures its own. So ``eps``, ``atol``, ``rtol``,
``nondet_tol`` and what else chooses a method are accepted, and change nothing.
"""

from __future__ import annotations

import torch
from torch.autograd.gradcheck import GradcheckError

from .._pullback import PullbackError
from .._report import WrongGradient
from ._check import check


class WrongGradcheck(WrongGradient, GradcheckError):
    """A gradient that does not hold, under PyTorch's own name for that."""


def gradcheck(
    func,
    inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    reference=None,
) -> bool:
    """Whether the gradients of a function hold; where one does not, the error is the diagnosis.

    >>> import torch
    >>> gradcheck(torch.sin, (torch.randn(3, dtype=torch.float64, requires_grad=True),))
    True
    """
    return _checked(func, inputs, reference, raise_exception, order=1)


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
    reference=None,
) -> bool:
    """Whether what the backward pass is differentiated to holds.

    >>> import torch
    >>> gradgradcheck(torch.sin, (torch.randn(3, dtype=torch.float64, requires_grad=True),))
    True
    """
    return _checked(func, inputs, reference, raise_exception, order=2, cotangents=grad_outputs)


def _checked(func, inputs, reference, raise_exception, **how) -> bool:
    inputs = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
    if not any(isinstance(one, torch.Tensor) and one.requires_grad for one in inputs):
        raise ValueError("gradcheck expects at least one input tensor to require gradient")
    try:
        report = check(func, *inputs, reference=reference, **how)
    except PullbackError:
        if raise_exception:
            raise
        return False
    if report.ok or not raise_exception:
        return report.ok
    if report.exit_code == 2:
        raise PullbackError(str(report))
    raise WrongGradcheck(report)
