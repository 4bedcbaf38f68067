"""What definitions are made of: values that fit, new inputs, and how shapes and cotangents go together."""

import torch

from expression import *
from program import Input


def summed_to(g, of, to):
    """A cotangent of what was stretched from `to` to `of`, summed back."""
    lead = len(of) - len(to)
    if lead:
        g = total(g, range(lead))
    stretched = [axis for axis, dim in enumerate(to) if dim.is_one() and not of[lead + axis].is_one()]
    return total(g, stretched, keep=True) if stretched else g


def spread(g, dims, axes, keep):
    """A cotangent of a reduction over `axes`, repeated along them."""
    if not keep and len(axes) < len(dims):
        text = ", ".join("None" if axis in axes else ":" for axis in range(len(dims)))
        g = g.at(text, tuple(None if axis in axes else slice(None) for axis in range(len(dims))))
    return g * ones(dims)


def stretched(a, b):
    """The shape of `a` beside `b`, or nothing where they do not go together."""
    rank = max(len(a), len(b))
    a, b = [ONE] * (rank - len(a)) + list(a), [ONE] * (rank - len(b)) + list(b)
    dims = [y if x.is_one() else x for x, y in zip(a, b)]
    fits = all(x == y or x.is_one() or y.is_one() for x, y in zip(a, b))
    return dims if fits else None


def value(p, rank=None, fits=lambda dims: True):
    """A value with so many axes; newer ones are likelier, so that programs grow deep."""
    free = [name for name in p.floats() if name not in p.masked]
    found = [name for name in free if rank in (None, len(p.dims_of(name))) and fits(p.dims_of(name))]
    if not found:
        return None
    if p.rng.random() < 0.4:
        return p.rng.choice(found)
    return found[max(p.rng.randrange(len(found)), p.rng.randrange(len(found)))]


def draw_dims(p, rank):
    return [ONE if p.rng.random() < 0.08 else p.rng.choice(p.dims) for _ in range(rank)]


def fresh_input(p, dims, kind=None, keeps=None):
    """An input of a shape: drawn by one of the distributions, or written down. `keeps`: along this axis a mask leaves one at least."""
    name = p.fresh("xwabcuvqzst")
    shape = [dim.size for dim in dims]
    if not p.literal and kind is None:
        how, draw = p.rng.choice([
            ("~ randn", lambda dtype: torch.randn(shape, dtype=dtype)),
            ("~ randn", lambda dtype: torch.randn(shape, dtype=dtype)),
            ("~ rand", lambda dtype: torch.rand(shape, dtype=dtype)),
            ("~ uniform(-1, 1)", lambda dtype: torch.empty(shape, dtype=dtype).uniform_(-1, 1)),
        ])
        return p.add_input(Input(name, dims, lambda _: how, draw))
    style = kind or p.rng.choices(["plain", "ties", "kinks", "ones", "halves"], [60, 14, 14, 4, 8])[0]
    if kind is None and style in ("ties", "kinks"):
        p.has_ties = True
    count = product_of(shape)
    pick = {
        "plain": lambda: p.rng.randint(-250, 250) / 100,
        "ties": lambda: p.rng.choice([-1.0, 0.5, 0.5, 2.0]),
        "kinks": lambda: p.rng.choice([0.0, 0.0, p.rng.randint(-20, 20) / 10]),
        "ones": lambda: 1.0,
        "halves": lambda: p.rng.randint(-6, 6) / 2,
        "mask": lambda: float(p.rng.random() < 0.7),
    }[style]
    numbers = torch.tensor([pick() for _ in range(count)], dtype=torch.float64).reshape(shape)
    if keeps is not None:
        keep_one(p.rng, numbers, keeps)
    role = "mask" if kind == "mask" else "float"
    return p.add_input(Input(name, dims, lambda v: "= " + written(v.tolist()), lambda dtype: numbers.to(dtype), role))


def keep_one(rng, mask, axis):
    """Sets one entry of each line of a matrix along an axis, where a mask leaves nothing of it."""
    size = mask.shape[axis]
    for line in mask.unbind(axis ^ 1):
        if not line.any():
            line[rng.randrange(size)] = 1.0


def product_of(sizes):
    count = 1
    for size in sizes:
        count *= size
    return count


def labels(p, dims, classes):
    """Integer labels of as many classes."""
    name = p.fresh("tlij")
    sizes = [dim.size for dim in dims]
    draw = lambda _: torch.randint(0, classes.size, sizes)
    if p.literal:
        numbers = torch.tensor([p.rng.randrange(classes.size) for _ in range(product_of(sizes))]).reshape(sizes)
        return p.add_input(Input(name, dims, lambda v: "= " + written(v.tolist()), lambda _: numbers, "int", classes))
    return p.add_input(Input(name, dims, lambda _: f"~ randint(0, {classes.text})", draw, "int", classes))


def two(dims):
    return len(dims) == 2 and not any(dim.is_one() for dim in dims)


def axes_of(p, dims):
    if not dims:
        return None
    if p.rng.random() < 0.25:
        return tuple(range(len(dims)))
    return tuple(sorted(p.rng.sample(range(len(dims)), p.rng.randint(1, max(1, len(dims) - 1)))))


def away(*places):
    """How far each element is from the nearest of some places."""
    return lambda x: torch.stack([(x - place).abs().flatten() for place in places]).amin(0)


def apart(a, b):
    """How far two values are apart, element by element."""
    return (a - b).abs().flatten()


def apart_along(axis):
    """How far any two elements of an axis are apart."""

    def gap(x):
        lines = x.movedim(axis, 0).reshape(x.shape[axis], -1)
        above, below = torch.triu_indices(len(lines), len(lines), 1)
        return (lines[above] - lines[below]).abs().flatten()

    return gap


def gaps_of_max(axes):
    """How far each element that is not the largest is below it, for all of a group but one of the largest."""

    def gap(x):
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        groups = x.permute(*kept, *axes).reshape(product_of(x.shape[axis] for axis in kept), -1)
        if groups.shape[1] < 2:
            return torch.zeros(0, dtype=x.dtype)
        top = groups.topk(2, dim=1).values
        return top[:, 0] - top[:, 1]

    return gap


def scaled(dim, factor):
    """So many times a size."""
    return Dim(factor * dim.size, f"{factor} * {dim.text}" if dim.text.isalpha() else None)


def longer(dim, by):
    """A size and so many more."""
    return Dim(dim.size + by, f"{dim.text} + {by}" if dim.text.isalpha() else None)


def plain(dims):
    """Whether each size is a name or a number, so that it may stand in others."""
    return all(dim.text.isalnum() for dim in dims)
