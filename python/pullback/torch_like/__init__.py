"""PyTorch's names for Pullback's tensors: a notebook runs with its import lines changed.

>>> import pullback.torch_like as torch
>>> W = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], requires_grad=True)
>>> x = torch.tensor([1.0, 2.0, 3.0])
>>> z = W @ x
>>> z
tensor([1.4000, 3.2000], grad_fn=<MvBackward0>)
>>> z.sum().backward()
>>> W.grad
tensor([[1., 2., 3.],
        [1., 2., 3.]])
>>> torch.autograd.functional.jacobian(lambda x: x.softmax(0), z.detach())
tensor([[ 0.1217, -0.1217],
        [-0.1217,  0.1217]])

Numbers, gradients, errors, warnings and what is printed are PyTorch's. All functions of the op table and of the language are there,
by the names that they have in PyTorch, as functions and as methods; `docs/python.md` says what is not.
"""

from __future__ import annotations

from .. import _pullback
from .._pullback import Tensor, get_default_dtype, set_default_dtype
from .._pullback import dtype as dtype
from .._size import Size
from . import _apart, _functions, _making, _modes

# Messages name a class of Python's by its name alone, and one of an extension with its module.
Tensor.__name__ = "Tensor"

float32 = float = dtype.float32
float64 = double = dtype.float64
int64 = long = dtype.int64
bool = dtype.bool

for _module in (_making, _modes):
    for _name in _module.__all__:
        globals()[_name] = getattr(_module, _name)
for _function in _apart.FUNCTIONS:
    globals()[_function.__name__] = _function
_functions.add_functions(globals(), "torch")

# Methods of tensors that are no functions of the table.
for _function in _apart.METHODS:
    setattr(Tensor, _function.__name__, _function)
for _name, _kind in (("float", float32), ("double", float64), ("long", int64), ("bool", bool)):
    setattr(Tensor, _name, lambda self, _kind=_kind: self.to(_kind))
Tensor.cpu = lambda self: self
Tensor.new_zeros = lambda self, *size: _making.zeros(*size, dtype=self.dtype)
Tensor.new_ones = lambda self, *size: _making.ones(*size, dtype=self.dtype)
Tensor.device = "cpu"
_functions.add_methods()

from . import autograd, linalg, nn, special  # noqa: E402

__all__ = [name for name in globals() if not name.startswith("_")]
