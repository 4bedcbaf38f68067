"""Pullback for JAX: what ``custom_vjp`` returns, judged by the function that it belongs to.

>>> import jax, jax.numpy as jnp, pullback.jax
>>> @jax.custom_vjp
... def square(x):
...     return x**2
>>> square.defvjp(lambda x: (x**2, x), lambda x, dy: (dy * x,))
>>> pullback.jax.check(square, jnp.array([1.0, -2.0, 0.5])).claim("x").diagnosis.cause
'missing-factor'
"""

from __future__ import annotations

from ._audit import audit
from ._check import check, gradcheck, trace

__all__ = ["audit", "check", "gradcheck", "trace"]
