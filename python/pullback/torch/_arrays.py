"""Tensors as arrays of NumPy, and back."""

from __future__ import annotations

import numpy as np
import torch

#: The names that Pullback has for the precisions that NumPy does not have.
_COMPUTED = {torch.bfloat16: "bf16", torch.float16: "f16"}


def to_numpy(tensor: torch.Tensor) -> tuple[np.ndarray, str | None]:
    """The numbers, and in what they were computed where the array does not tell it."""
    plain = tensor.detach().cpu()
    if plain.layout != torch.strided:
        plain = plain.to_dense()
    if plain.dtype in _COMPUTED:
        return plain.float().numpy(), _COMPUTED[plain.dtype]
    return plain.resolve_neg().resolve_conj().numpy(), None


def from_numpy(array: np.ndarray, like: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The numbers on the device of another tensor, in its type or in another one."""
    return (
        torch.from_numpy(np.ascontiguousarray(array))
        .reshape(array.shape)
        .to(device=like.device, dtype=dtype or like.dtype)
    )


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy with the same strides, axes that are stretched included."""
    plain = tensor.detach()
    if plain.layout != torch.strided:
        return plain.clone()
    storage = plain.untyped_storage().clone()
    return torch.empty(0, dtype=plain.dtype, device=plain.device).set_(
        storage, plain.storage_offset(), plain.size(), plain.stride()
    )
