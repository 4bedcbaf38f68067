"""What PyTorch has in ``torch.nn``, as far as it is there: ``nn.functional``."""

from . import functional

__all__ = ["functional"]
