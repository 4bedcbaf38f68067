"""Slips of numbers: what a kernel gets wrong, done to an array that is right.

Each returns a changed copy, or nothing where the array has no such part. That something comes of it is for the caller to see:
the sign of a zero and two equal rows exchanged are no mistakes.
"""

import torch


def turned(rng, g):
    return -g


def entry(rng, g):
    """One of the larger entries with its sign turned, or of another size."""
    flat = g.clone().flatten()
    if flat.numel() < 2:
        return None
    at = rng.choice(flat.abs().topk(max(1, flat.numel() // 3)).indices.tolist())
    flat[at] = flat[at] * rng.choice([-1, 0, 2])
    return flat.reshape(g.shape)


def row(rng, g):
    if g.ndim == 0 or g.shape[0] < 2:
        return None
    changed = g.clone()
    changed[rng.randrange(g.shape[0])] = 0
    return changed


def tail(rng, g):
    if g.ndim == 0 or g.shape[0] < 3:
        return None
    changed = g.clone()
    changed[-max(1, g.shape[0] // 4):] = 0
    return changed


def shifted(rng, g):
    return g.roll(1, 0) if g.ndim and g.shape[0] > 1 else None


def doubled(rng, g):
    if g.ndim == 0 or g.shape[0] < 2:
        return None
    changed = g.clone()
    changed[rng.randrange(g.shape[0])] *= 2
    return changed


SLIPS = {"sign": turned, "entry": entry, "row": row, "tail": tail, "shifted": shifted, "doubled": doubled}
