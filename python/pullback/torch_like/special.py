"""What PyTorch has in ``torch.special``."""

from . import _functions

_functions.add_functions(globals(), "torch.special")
