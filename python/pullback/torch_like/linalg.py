"""What PyTorch has in ``torch.linalg``."""

from . import _functions

_functions.add_functions(globals(), "torch.linalg")
