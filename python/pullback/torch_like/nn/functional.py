"""Layers and losses as functions: ``torch.nn.functional``.

>>> import pullback.torch_like as torch
>>> import pullback.torch_like.nn.functional as F
>>> F.mse_loss(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 6.0]))
tensor(1.)
"""

from .. import _apart, _functions

for _function in _apart.LAYERS:
    globals()[_function.__name__] = _function
_functions.add_functions(globals(), "F")
