"""Expressions of the `.grad` language that know their number: each is a text and a PyTorch tensor, made by the same call.

`(g * cos(x)).text` is what stands in a file, `.value` what PyTorch computes for it, in whatever precision its operands have.
So a forward pass, and a rule of differentiation, is stated once, and its text cannot say anything but what was computed.

Not here: derivatives. What PyTorch's autograd makes of the values is a witness of its own.
"""

import torch

COMPARED, ADDED, MULTIPLIED, SIGNED, RAISED, ATOM = range(6)


class Dim:
    """A size with the text for it: `n`, `n - 1`, or the number itself where it has no name."""

    def __init__(self, size, text=None):
        self.size, self.text = size, text or str(size)

    def __eq__(self, other):
        return (self.size, self.text) == (other.size, other.text)

    def __hash__(self):
        return hash((self.size, self.text))

    def is_one(self):
        """Whether it is a 1 that is written so: the only size that is stretched here. `n=1` is a size like others."""
        return self.text == "1"


ONE = Dim(1)


def product(dims):
    """The product of sizes as an expression; those written as 1 are left out."""
    result = None
    for dim in dims:
        if not dim.is_one():
            factor = E(dim.text, float(dim.size), ATOM if dim.text.isalnum() else ADDED)
            result = factor if result is None else result * factor
    return result if result is not None else E("1", 1.0)


class E:
    """An expression: its text, how tightly that binds, and its value (a tensor, or a float)."""

    __slots__ = ("text", "value", "binds")

    def __init__(self, text, value, binds=ATOM):
        self.text, self.value, self.binds = text, value, binds

    def within(self, level):
        return self.text if self.binds >= level else f"({self.text})"

    def __add__(self, other):
        return binary(self, other, "+", ADDED, lambda a, b: a + b)

    def __sub__(self, other):
        return binary(self, other, "-", ADDED, lambda a, b: a - b)

    def __rsub__(self, other):
        return number(other) - self

    def __radd__(self, other):
        return number(other) + self

    def __mul__(self, other):
        return binary(self, other, "*", MULTIPLIED, lambda a, b: a * b)

    def __rmul__(self, other):
        return number(other) * self

    def __truediv__(self, other):
        return binary(self, other, "/", MULTIPLIED, lambda a, b: a / b)

    def __rtruediv__(self, other):
        return number(other) / self

    def __matmul__(self, other):
        return binary(self, other, "@", MULTIPLIED, lambda a, b: a @ b)

    def __neg__(self):
        return E(f"-{self.within(SIGNED)}", -self.value, SIGNED)

    def __pow__(self, exponent):
        text = f"{self.within(ATOM)}^{exponent}"
        return E(text, self.value**exponent, RAISED)

    def compare(self, sign, other):
        other = number(other)
        value = {">": torch.gt, "<": torch.lt, "<=": torch.le, ">=": torch.ge, "==": torch.eq}[sign]
        compared = value(self.value, torch.as_tensor(other.value)).to(self.float_dtype(other))
        return E(f"{self.within(ADDED)} {sign} {other.within(ADDED)}", compared, COMPARED)

    def float_dtype(self, other):
        for side in (self.value, other.value):
            if torch.is_tensor(side) and side.is_floating_point():
                return side.dtype
        return E.computed

    @property
    def T(self):
        return E(f"{self.within(ATOM)}.T", self.value.mT if self.value.ndim == 2 else self.value.view_as(self.value))

    def at(self, text, key):
        """Indexed: `text` stands in the brackets, `key` is what PyTorch is given."""
        return E(f"{self.within(ATOM)}[{text}]", self.value[key])


# In which precision whatever has none of its own is made: masks, `eye`, `ones`.
E.computed = torch.float64


def number(value):
    if isinstance(value, E):
        return value
    short = f"{value:g}"
    text = short if not isinstance(value, int) and float(short) == value else repr(value)
    return E(text, value, SIGNED if value < 0 else ATOM)


def binary(a, b, sign, level, compute):
    a, b = number(a), number(b)
    return E(f"{a.within(level)} {sign} {b.within(level + 1)}", compute(a.value, b.value), level)


def call(name, function, *operands, keywords=""):
    """`name(operands, keywords)`, by `function` of their values."""
    inside = ", ".join(operand.text for operand in operands) + keywords
    return E(f"{name}({inside})", function(*(operand.value for operand in operands)))


def elementwise(name, function):
    return lambda x: call(name, function, x)


exp, log, sqrt, tanh = (elementwise(f.__name__, f) for f in (torch.exp, torch.log, torch.sqrt, torch.tanh))
sin, cos, sigmoid, relu = (elementwise(f.__name__, f) for f in (torch.sin, torch.cos, torch.sigmoid, torch.relu))
absolute, sign, inv = elementwise("abs", torch.abs), elementwise("sign", torch.sign), elementwise("inv", torch.linalg.inv)
step = elementwise("step", lambda x: (x > 0).to(x.dtype))
trace = elementwise("trace", torch.trace)
diag = elementwise("diag", torch.diag)
outer = lambda a, b: call("outer", torch.outer, a, b)
kron = lambda a, b: call("kron", lambda a, b: torch.kron(a.contiguous(), b.contiguous()), a, b)
solve = lambda a, b: call("solve", torch.linalg.solve, a, b)


def written_by(name, function, keywords=""):
    """A function of the language by its name, with what stands behind its operands."""
    return lambda *operands: call(name, function, *operands, keywords=keywords)


def chosen(condition, a, b):
    return E(
        f"where({condition.text}, {a.text}, {b.text})",
        torch.where(condition.value != 0, a.value, torch.as_tensor(b.value, dtype=a.value.dtype)))


def axes_text(axes, keep):
    if axes is None:
        return ", keepdims=true" if keep else ""
    listed = str(axes[0]) if len(axes) == 1 else "[" + ", ".join(map(str, axes)) + "]"
    return f", axis={listed}" + (", keepdims=true" if keep else "")


def reduced(name, compute):
    def reduce(x, axes=None, keep=False):
        every = tuple(range(x.value.ndim)) if axes is None else tuple(axes)
        return call(name, lambda v: compute(v, every, keep) if every else v, x, keywords=axes_text(axes, keep))

    return reduce


total = reduced("sum", lambda v, axes, keep: v.sum(axes, keepdim=keep))
mean = reduced("mean", lambda v, axes, keep: v.mean(axes, keepdim=keep))
largest = reduced("max", lambda v, axes, keep: torch.amax(v, axes, keepdim=keep))
logsumexp = reduced("logsumexp", lambda v, axes, keep: torch.logsumexp(v, axes, keepdim=keep))


def tie_share(x, axes=None):
    def share(v, every):
        tied = (v == torch.amax(v, every, keepdim=True)).to(v.dtype)
        return tied / tied.sum(every, keepdim=True)

    every = tuple(range(x.value.ndim)) if axes is None else tuple(axes)
    return call("tie_share", lambda v: share(v, every), x, keywords=axes_text(axes, False))


def softmax(x, axis):
    return call("softmax", lambda v: torch.softmax(v, axis), x, keywords=f", axis={axis}")


def reshape(x, dims):
    listed = ", ".join(dim.text for dim in dims)
    return call("reshape", lambda v: v.reshape([dim.size for dim in dims]), x, keywords=f", [{listed}]")


def permute(x, order):
    return call("permute", lambda v: v.permute(order), x, keywords=f", {list(order)}")


def einsum(spec, *operands):
    inside = ", ".join([f'"{spec}"'] + [operand.text for operand in operands])
    return E(f"einsum({inside})", torch.einsum(spec, *(operand.value for operand in operands)))


def gather(x, index):
    return call("gather", lambda v, i: v[i], x, index)


def scatter_add(x, index, dim):
    def scattered(v, i):
        return torch.zeros((dim.size, *v.shape[1:]), dtype=v.dtype).index_add(0, i, v)

    return call("scatter_add", scattered, x, index, keywords=f", {dim.text}")


def conv(x, w, padding=0):
    compute = {3: torch.nn.functional.conv1d, 4: torch.nn.functional.conv2d}[x.value.ndim]
    keywords = f", padding={padding}" if padding else ""
    return call("conv", lambda v, u: compute(v, u, padding=padding), x, w, keywords=keywords)


def filled(name, value, dims):
    made = torch.full([dim.size for dim in dims], float(value), dtype=E.computed)
    return E(f"{name}({', '.join(dim.text for dim in dims)})", made)


ones = lambda dims: filled("ones", 1, dims)
zeros = lambda dims: filled("zeros", 0, dims)
eye = lambda dim: E(f"eye({dim.text})", torch.eye(dim.size, dtype=E.computed))
arange = lambda dim: E(f"arange({dim.text})", torch.arange(dim.size))


def literal(tensor):
    """Numbers, written so that they are read as the same numbers."""
    return E(written(tensor.tolist()), tensor)


def written(numbers):
    if isinstance(numbers, list):
        return "[" + ", ".join(map(written, numbers)) + "]"
    return repr(numbers)
