"""PyTorch's names for Pullback's tensors; the functions are those of the op table and of the language."""

from typing import Any

from .._pullback import Tensor as Tensor
from .._pullback import dtype as dtype
from .._size import Size as Size
from . import autograd as autograd
from . import linalg as linalg
from . import nn as nn
from . import special as special
from ._making import *
from ._modes import *

float32: dtype
float64: dtype
int64: dtype
bool: dtype
float: dtype
double: dtype
long: dtype

def __getattr__(name: str) -> Any: ...
