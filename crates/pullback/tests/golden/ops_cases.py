"""The cases of ops.py: name, expression in the `.grad` language, the same in PyTorch, inputs.

Sizes are distinct primes, so that no transposed result has the right shape. Samples are drawn from a
fixed stream, with three decimals; awkward ones (ties, zeros, repeated indices) are written out.
"""

import numpy as np
import torch
import torch.nn.functional as F

_RNG = np.random.default_rng(20)


def normal(*shape):
    """Standard normal, three decimals, none within 0.05 of zero (a kink of abs and relu, a pole of 1/x)."""
    values = np.round(_RNG.standard_normal(shape), 3)
    return np.where(np.abs(values) < 0.05, 0.25, values)


def positive(*shape):
    return np.round(_RNG.uniform(0.3, 2.5, shape), 3)


def array(values):
    return np.array(values, dtype=np.float64)


CASES = []
KINKS = set()


def add(name, call, f, kink=False, **inputs):
    CASES.append((name, call, f, inputs))
    if kink:
        KINKS.add(name)


# --- arithmetic, in every pattern of broadcasting ---------------------------------------------------

_PATTERNS = {
    "same": ((2, 3), (2, 3)),
    "scalars": ((), ()),
    "scalar-left": ((), (2, 3)),
    "scalar-right": ((2, 3), ()),
    "vector-left": ((3,), (2, 3)),
    "vector-right": ((2, 3), (3,)),
    "column-right": ((2, 3), (2, 1)),
    "both-stretch": ((2, 1), (1, 3)),
    "ranks-and-ones": ((2, 1, 5), (3, 1)),
    "one-entry": ((1,), (2, 3)),
}
_ARITHMETIC = {
    "add": ("+", lambda x, y: x + y),
    "sub": ("-", lambda x, y: x - y),
    "mul": ("*", lambda x, y: x * y),
    "div": ("/", lambda x, y: x / y),
}
for _name, (_sign, _f) in _ARITHMETIC.items():
    for _pattern, (_left, _right) in _PATTERNS.items():
        _y = positive(*_right) if _name == "div" else normal(*_right)
        add(f"{_name} {_pattern}", f"x {_sign} y", _f, x=normal(*_left), y=_y)

add("add literal", "x + 1.5", lambda x: x + 1.5, x=normal(2, 3))
add("sub literal-left", "1 - x", lambda x: 1 - x, x=normal(2, 3))
add("mul literal", "2 * x", lambda x: 2 * x, x=normal(2, 3))
add("mul zeros", "x * y", lambda x, y: x * y, x=array([[0, 2, 0], [0, -1.5, 3]]), y=array([[0, 0, 4], [1, -2, 0.5]]))
add("mul itself", "x * x", lambda x: x * x, x=normal(2, 3))
add("mul three", "x * y * x", lambda x, y: x * y * x, x=normal(3), y=normal(2, 1))
add("div literal-left", "1 / x", lambda x: 1 / x, x=array([[0.5, -2, 3], [-0.7, 1, 4]]))
add("div literal", "x / 3", lambda x: x / 3, x=normal(2, 3))
add("div zero-above", "x / y", lambda x, y: x / y, x=array([0, -0.5, 2]), y=array([-1.5, 0.5, -4]))
add("neg", "-x", lambda x: -x, x=normal(2, 3))
add("neg of-power", "-x^2", lambda x: -(x**2), x=normal(2, 3))

# --- powers ----------------------------------------------------------------------------------------
# (A base of 0 under a tensor of exponents is left out: PyTorch answers NaN at second order.)

_ANY_SIGN = array([[-1.5, 0, 2], [0.5, -0.25, 1]])
for _p in (0, 1, 2, 3):
    add(f"pow {_p}", f"x^{_p}", lambda x, p=_p: x**p, x=_ANY_SIGN)
add("pow -1", "x^-1", lambda x: x**-1, x=array([-1.5, 0.5, 2]))
add("pow -2", "x^(-2)", lambda x: x**-2, x=array([-1.5, 0.5, 2]))
add("pow 0.5", "x^0.5", lambda x: x**0.5, x=positive(2, 3))
add("pow 1.5", "x^1.5", lambda x: x**1.5, x=positive(2, 3))
add("pow -0.5", "x^-0.5", lambda x: x**-0.5, x=positive(2, 3))
add("pow tensor", "x^y", lambda x, y: x**y, x=positive(2, 3), y=normal(2, 3))
add("pow tensor-broadcast", "x^y", lambda x, y: x**y, x=positive(2, 1), y=normal(3))
add("pow base-literal", "2^x", lambda x: 2.0**x, x=normal(2, 3))
add("pow right-associative", "x^y^2", lambda x, y: x ** (y**2), x=positive(3), y=normal(3))

# --- functions of one entry ------------------------------------------------------------------------

add("sqrt", "sqrt(x)", lambda x: torch.sqrt(x), x=positive(2, 3))
add("exp", "exp(x)", lambda x: torch.exp(x), x=array([[-1.2, 0, 2.3], [0.4, -3, 1]]))
add("log", "log(x)", lambda x: torch.log(x), x=positive(2, 3))
add("tanh", "tanh(x)", lambda x: torch.tanh(x), x=array([[-1.2, 0, 2.3], [0.4, -20, 20]]))
add("sigmoid", "sigmoid(x)", lambda x: torch.sigmoid(x), x=array([[-1.2, 0, 2.3], [0.4, -40, 40]]))
add("sin", "sin(x)", lambda x: torch.sin(x), x=normal(2, 3))
add("cos", "cos(x)", lambda x: torch.cos(x), x=normal(2, 3))
add("abs", "abs(x)", lambda x: torch.abs(x), x=normal(2, 3))
add("abs at-zero", "abs(x)", lambda x: torch.abs(x), kink=True, x=array([[-1, 0, 2], [0, -0.5, 3]]))
add("relu", "relu(x)", lambda x: torch.relu(x), x=normal(2, 3))
add("relu at-zero", "relu(x)", lambda x: torch.relu(x), kink=True, x=array([[-1, 0, 2], [0, -0.5, 3]]))
add("tanh scalar", "tanh(x)", lambda x: torch.tanh(x), x=normal())
add("exp rank-3", "exp(x)", lambda x: torch.exp(x), x=normal(2, 3, 5))

# --- matrix products -------------------------------------------------------------------------------

_PRODUCTS = {
    "dot": ((3,), (3,)),
    "matrix-vector": ((2, 3), (3,)),
    "vector-matrix": ((3,), (3, 5)),
    "matrices": ((2, 3), (3, 5)),
    "batched": ((7, 2, 3), (7, 3, 5)),
    "batch-left": ((7, 2, 3), (3, 5)),
    "batch-right": ((2, 3), (7, 3, 5)),
    "batch-stretch": ((7, 1, 2, 3), (5, 3, 2)),
    "batch-both-stretch": ((7, 1, 2, 3), (1, 5, 3, 2)),
    "batch-vector": ((7, 2, 3), (3,)),
    "vector-batch": ((3,), (7, 3, 5)),
    "inner-one": ((2, 1), (1, 3)),
    "one-row": ((1, 3), (3, 2)),
}
for _pattern, (_left, _right) in _PRODUCTS.items():
    add(f"matmul {_pattern}", "x @ y", lambda x, y: x @ y, x=normal(*_left), y=normal(*_right))
add("matmul function", "matmul(x, y)", lambda x, y: torch.matmul(x, y), x=normal(2, 3), y=normal(3, 5))
add("matmul gram", "x @ x.T", lambda x: x @ x.T, x=normal(2, 3))
add("matmul chain", "x @ y @ z", lambda x, y, z: x @ y @ z, x=normal(2, 3), y=normal(3, 5), z=normal(5))
add("matmul zeros", "x @ y", lambda x, y: x @ y, x=array([[0, 0, 1], [0, -2, 0]]), y=array([[0, 1], [3, 0], [0, 0]]))
add("outer", "outer(x, y)", lambda x, y: torch.outer(x, y), x=normal(2), y=normal(3))
add("outer itself", "outer(x, x)", lambda x: torch.outer(x, x), x=normal(3))
add("kron", "kron(x, y)", lambda x, y: torch.kron(x, y), x=normal(2, 3), y=normal(5, 2))
add("kron row-left", "kron(x, y)", lambda x, y: torch.kron(x[None, :], y), x=normal(3), y=normal(2, 5))
add("kron row-right", "kron(y, x)", lambda x, y: torch.kron(y, x[None, :]), x=normal(3), y=normal(2, 5))

# --- reductions ------------------------------------------------------------------------------------

_AXES = {
    "all": ("", {}),
    "first": (", axis=0", {"dim": 0}),
    "middle": (", axis=1", {"dim": 1}),
    "last": (", axis=-1", {"dim": -1}),
    "negative": (", axis=-2", {"dim": -2}),
    "two": (", axis=[0, 2]", {"dim": (0, 2)}),
    "kept": (", axis=1, keepdims=true", {"dim": 1, "keepdim": True}),
    "two-kept": (", axis=[0, -1], keepdims=true", {"dim": (0, -1), "keepdim": True}),
    "torch-names": (", dim=0, keepdim=True", {"dim": 0, "keepdim": True}),
}
for _axes, (_text, _keywords) in _AXES.items():
    add(f"sum {_axes}", f"sum(x{_text})", lambda x, k=_keywords: torch.sum(x, **k), x=normal(2, 3, 5))
    add(f"mean {_axes}", f"mean(x{_text})", lambda x, k=_keywords: torch.mean(x, **k), x=normal(2, 3, 5))
    add(
        f"max {_axes}",
        f"max(x{_text})",
        lambda x, k=_keywords: torch.amax(x, **({"dim": (0, 1, 2)} | k)),
        x=normal(2, 3, 5),
    )
    add(
        f"logsumexp {_axes}",
        f"logsumexp(x{_text})",
        lambda x, k=_keywords: torch.logsumexp(x, **({"dim": (0, 1, 2)} | k)),
        x=normal(2, 3, 5),
    )
add("sum scalar", "sum(x)", lambda x: torch.sum(x), x=normal())
add("mean squares", "mean(x^2)", lambda x: torch.mean(x**2), x=normal(3))
add("mean one-entry", "mean(x, axis=0)", lambda x: torch.mean(x, dim=0), x=normal(1, 3))

# A maximum that is reached more than once shares its cotangent evenly, as amax does.
_TIES = array([[1, 3, 3], [2, -1, 2]])
add("max ties-axis", "max(x, axis=1)", lambda x: torch.amax(x, 1), kink=True, x=_TIES)
add("max ties-all", "max(x)", lambda x: torch.amax(x, (0, 1)), kink=True, x=_TIES)
add(
    "max ties-kept",
    "max(x, axis=0, keepdims=true)",
    lambda x: torch.amax(x, 0, True),
    kink=True,
    x=array([[1, 2], [1, 0], [1, 2]]),
)

# --- softmax and its kin ---------------------------------------------------------------------------

for _axis in (0, 1, 2, -1, -2):
    add(f"softmax {_axis}", f"softmax(x, axis={_axis})", lambda x, a=_axis: torch.softmax(x, a), x=normal(2, 3, 5))
add("softmax vector", "softmax(x, axis=0)", lambda x: torch.softmax(x, 0), x=normal(3))
add("softmax ties", "softmax(x, axis=1)", lambda x: torch.softmax(x, 1), x=array([[1, 1, 1], [2, 2, -1]]))
# A naive exp overflows on the first row and divides 0 by 0 on the second.
_FAR = array([[1000, 1001, 999], [-1000, -1002, -1001]])
add("softmax far", "softmax(x, axis=1)", lambda x: torch.softmax(x, 1), x=_FAR)
add("softmax one-entry", "softmax(x, axis=1)", lambda x: torch.softmax(x, 1), x=normal(3, 1))
add("logsumexp far", "logsumexp(x, axis=1)", lambda x: torch.logsumexp(x, 1), x=_FAR)
add("logsumexp ties", "logsumexp(x, axis=0)", lambda x: torch.logsumexp(x, 0), x=array([1, 1, 1]))

# --- diagonals -------------------------------------------------------------------------------------

add("diag of-vector", "diag(x)", lambda x: torch.diag(x), x=normal(3))
add("diag of-matrix", "diag(x)", lambda x: torch.diag(x), x=normal(3, 3))
add("diag of-wide-matrix", "diag(x)", lambda x: torch.diag(x), x=normal(2, 3))
add("diag of-diag", "diag(diag(x))", lambda x: torch.diag(torch.diag(x)), x=normal(3, 3))
add("trace", "trace(x)", lambda x: torch.trace(x), x=normal(3, 3))
add("trace product", "trace(x @ y)", lambda x, y: torch.trace(x @ y), x=normal(2, 3), y=normal(3, 2))

# --- other shapes of the same entries --------------------------------------------------------------

_RESHAPES = {
    "split": ((6,), (2, 3)),
    "split-last": ((2, 15), (2, 3, 5)),
    "merge": ((2, 3), (6,)),
    "merge-first": ((2, 3, 5), (6, 5)),
    "merge-last": ((2, 3, 5), (2, 15)),
    "across": ((2, 6), (3, 4)),
    "ones": ((2, 3), (1, 2, 1, 3)),
    "to-scalar": ((1,), ()),
    "from-scalar": ((), (1, 1)),
}
for _name, (_from, _to) in _RESHAPES.items():
    add(f"reshape {_name}", f"reshape(x, {list(_to)})", lambda x, s=_to: torch.reshape(x, s), x=normal(*_from))
add("reshape back", "reshape(reshape(x, [3, 4]), [2, 6])", lambda x: x.reshape(3, 4).reshape(2, 6), x=normal(2, 6))
add("reshape of-transpose", "reshape(x.T, [6])", lambda x: torch.reshape(x.T, (6,)), x=normal(2, 3))
add("transpose matrix", "x.T", lambda x: x.T, x=normal(2, 3))
add("transpose vector", "x.T", lambda x: x.clone(), x=normal(3))
add("transpose axes", "transpose(x, [2, 0, 1])", lambda x: torch.permute(x, (2, 0, 1)), x=normal(2, 3, 5))
add("permute", "permute(x, [2, 0, 1])", lambda x: torch.permute(x, (2, 0, 1)), x=normal(2, 3, 5))
add("permute rank-4", "permute(x, [3, 1, 0, 2])", lambda x: torch.permute(x, (3, 1, 0, 2)), x=normal(2, 3, 5, 1))
add("vec row", "vec(x)", lambda x: x.reshape(-1), x=normal(2, 3))
add("vec col", "vec(x, col)", lambda x: x.T.reshape(-1), x=normal(2, 3))

# --- parts of an array -----------------------------------------------------------------------------

add("index row", "x[1]", lambda x: x[1], x=normal(2, 3))
add("index last", "x[-1]", lambda x: x[-1], x=normal(2, 3))
add("index column", "x[:, 2]", lambda x: x[:, 2], x=normal(2, 3))
add("index entry", "x[1, 2]", lambda x: x[1, 2], x=normal(2, 3))
add("index rank-3", "x[:, 1]", lambda x: x[:, 1], x=normal(2, 3, 5))
add("slice steps", "x[1:4:2, ::-1]", lambda x: torch.flip(x[1:4:2], (1,)), x=normal(5, 3))
add("slice step-back", "x[3:0:-2]", lambda x: x[[3, 1]], x=normal(5))
add("slice ends", "x[:-1, 1:]", lambda x: x[:-1, 1:], x=normal(3, 2))
add("slice difference", "x[1:] - x[:-1]", lambda x: x[1:] - x[:-1], x=normal(5))
_IDX = np.array([2, 0, 2, 1, 2])
add("gather repeated", "gather(x, idx, axis=0)", lambda x, idx: torch.index_select(x, 0, idx), x=normal(3, 2), idx=_IDX)
add("gather columns", "gather(x, idx, axis=1)", lambda x, idx: torch.index_select(x, 1, idx), x=normal(2, 3), idx=_IDX)
_TABLE = np.array([[2, 0], [2, 2], [1, 0]])
add("gather table", "gather(x, idx, axis=0)", lambda x, idx: x[idx], x=normal(3, 5), idx=_TABLE)
add("gather vector", "gather(x, idx, axis=0)", lambda x, idx: x[idx], x=normal(5), idx=np.array([4, 4, 1]))

# --- inverse ---------------------------------------------------------------------------------------

_REGULAR = array([[2.1, -0.4, 0.3], [0.7, 1.6, -0.9], [-0.2, 0.5, 3.2]])
add("inv", "inv(x)", lambda x: torch.linalg.inv(x), x=_REGULAR)
add("inv pivots", "inv(x)", lambda x: torch.linalg.inv(x), x=array([[0, 2, 0.5], [1.5, 0, -1], [0.25, 1, 0]]))
add("inv batch", "inv(x)", lambda x: torch.linalg.inv(x), x=np.stack([_REGULAR, _REGULAR.T + np.eye(3)]))
add("inv solve", "inv(x) @ y", lambda x, y: torch.linalg.inv(x) @ y, x=_REGULAR, y=normal(3))

# --- einsum ----------------------------------------------------------------------------------------

_EINSUMS = {
    "product": ("ij,jk->ik", (2, 3), (3, 5)),
    "diagonal": ("ii->i", (3, 3)),
    "trace": ("ii->", (3, 3)),
    "batch-diagonal": ("bii,ij->bj", (2, 3, 3), (3, 5)),
    "inner": ("ij,ij->", (2, 3), (2, 3)),
    "outer": ("i,j->ij", (2,), (3,)),
    "transpose": ("ijk->kij", (2, 3, 5)),
    "sum": ("ijk->j", (2, 3, 5)),
    "unshared-sum": ("ij,kl->il", (2, 3), (5, 2)),
    "hadamard": ("ij,ij->ij", (2, 3), (2, 3)),
    "jacobian": ("ij,ijkl->kl", (2, 3), (2, 3, 5, 1)),
    "three-chain": ("ij,jk,kl->il", (2, 3), (3, 5), (5, 7)),
    "three-bilinear": ("bi,ij,bj->b", (2, 3), (3, 5), (2, 5)),
    "three-shared": ("i,i,ij->j", (3,), (3,), (3, 5)),
}
for _name, (_spec, *_shapes) in _EINSUMS.items():
    _inputs = {letter: normal(*shape) for letter, shape in zip("xyz", _shapes)}
    add(
        f"einsum {_name}",
        f'einsum("{_spec}", {", ".join(_inputs)})',
        lambda spec=_spec, **xs: torch.einsum(spec, *(xs[n] for n in sorted(xs))),
        **_inputs,
    )
add("einsum same-operand", 'einsum("ij,kj->ik", x, x)', lambda x: torch.einsum("ij,kj->ik", x, x), x=normal(2, 3))

# --- convolution, in PyTorch's layouts -------------------------------------------------------------

add("conv1d", "conv1d(x, w)", lambda x, w: F.conv1d(x, w), x=normal(2, 3, 7), w=normal(5, 3, 2))
add(
    "conv1d strided",
    "conv1d(x, w, stride=2, padding=1, dilation=2)",
    lambda x, w: F.conv1d(x, w, stride=2, padding=1, dilation=2),
    x=normal(2, 3, 11),
    w=normal(5, 3, 2),
)
add("conv2d", "conv2d(x, w)", lambda x, w: F.conv2d(x, w), x=normal(2, 3, 5, 4), w=normal(1, 3, 2, 3))
add(
    "conv2d strided",
    "conv2d(x, w, stride=2, padding=1, dilation=2)",
    lambda x, w: F.conv2d(x, w, stride=2, padding=1, dilation=2),
    x=normal(2, 3, 7, 5),
    w=normal(5, 3, 2, 3),
)

# --- a few programs: what one op gets right alone it must get right in company ----------------------

add(
    "program rmsnorm",
    "g * (x / sqrt(mean(x^2))) + b",
    lambda x, g, b: g * (x / torch.sqrt(torch.mean(x**2))) + b,
    x=normal(3),
    g=normal(3),
    b=normal(3),
)


def layer_norm(x):
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)


add(
    "program layernorm",
    "(x - mean(x, axis=-1, keepdims=true))"
    " / sqrt(mean((x - mean(x, axis=-1, keepdims=true))^2, axis=-1, keepdims=true) + 0.00001)",
    layer_norm,
    x=normal(2, 5),
)
add(
    "program attention",
    "softmax(q @ k.T / sqrt(3), axis=-1) @ v",
    lambda q, k, v: torch.softmax(q @ k.T / 3**0.5, -1) @ v,
    q=normal(2, 3),
    k=normal(5, 3),
    v=normal(5, 7),
)
add(
    "program network",
    "tanh(x @ w + b) @ v",
    lambda x, w, b, v: torch.tanh(x @ w + b) @ v,
    x=normal(5, 2),
    w=normal(2, 3),
    b=normal(3),
    v=normal(3),
)
add(
    "program cross-entropy",
    "mean(logsumexp(x, axis=1) - sum(x * y, axis=1))",
    lambda x, y: torch.mean(torch.logsumexp(x, 1) - (x * y).sum(1)),
    x=normal(3, 5),
    y=array(np.eye(5)[[4, 0, 2]]),
)
add(
    "program mse",
    "mean((x @ w + b - y)^2)",
    lambda x, w, b, y: torch.mean((x @ w + b - y) ** 2),
    x=normal(5, 3),
    w=normal(3, 2),
    b=normal(2),
    y=normal(5, 2),
)

# --- the vocabulary: functions under the names that PyTorch has them by ------------------------------
# (From here on a stream of its own, so that cases may be added above.)

_RNG = np.random.default_rng(21)

_INSIDE = array([[-0.8, -0.15, 0.6], [0.35, 0.9, -0.5]])
_OF_ONE = {
    "tan": (torch.tan, _INSIDE),
    "sinh": (torch.sinh, normal(2, 3)),
    "cosh": (torch.cosh, normal(2, 3)),
    "asin": (torch.asin, _INSIDE),
    "acos": (torch.acos, _INSIDE),
    "atan": (torch.atan, normal(2, 3)),
    "asinh": (torch.asinh, normal(2, 3)),
    "acosh": (torch.acosh, 1 + positive(2, 3)),
    "atanh": (torch.atanh, _INSIDE),
    "exp2": (torch.exp2, normal(2, 3)),
    "expm1": (torch.expm1, normal(2, 3)),
    "log1p": (torch.log1p, positive(2, 3)),
    "log2": (torch.log2, positive(2, 3)),
    "log10": (torch.log10, positive(2, 3)),
    "erf": (torch.erf, normal(2, 3)),
    "erfc": (torch.erfc, normal(2, 3)),
    "softplus": (F.softplus, normal(2, 3)),
    "reciprocal": (torch.reciprocal, positive(2, 3)),
    "rsqrt": (torch.rsqrt, positive(2, 3)),
    "silu": (F.silu, normal(2, 3)),
    "gelu": (F.gelu, normal(2, 3)),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), normal(2, 3)),
    "mish": (F.mish, normal(2, 3)),
    "logsigmoid": (F.logsigmoid, normal(2, 3)),
    "relu6": (F.relu6, 4 * normal(2, 3)),
    "leaky_relu": (F.leaky_relu, normal(2, 3)),
    "elu": (F.elu, normal(2, 3)),
    "celu": (F.celu, normal(2, 3)),
    "selu": (F.selu, normal(2, 3)),
    "hardtanh": (F.hardtanh, 2 * normal(2, 3)),
    # (PyTorch has no second derivative of its own two.)
    "hardsigmoid": (lambda x: torch.clamp(x / 6 + 0.5, 0, 1), 4 * normal(2, 3)),
    "hardswish": (lambda x: x * torch.clamp(x / 6 + 0.5, 0, 1), 4 * normal(2, 3)),
    "softsign": (F.softsign, normal(2, 3)),
    "tanhshrink": (F.tanhshrink, normal(2, 3)),
    "logit": (torch.logit, array([[0.2, 0.9, 0.55]])),
    "square": (torch.square, positive(2, 3)),
    "floor": (torch.floor, normal(2, 3)),
    "ceil": (torch.ceil, normal(2, 3)),
    "trunc": (torch.trunc, normal(2, 3)),
    "round": (torch.round, normal(2, 3)),
}
for _name, (_f, _x) in _OF_ONE.items():
    add(f"{_name} entries", f"{_name}(x)", lambda x, f=_f: f(x), x=_x)
add("cbrt entries", "cbrt(x)", lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3), x=normal(2, 3))
add("elu alpha", "elu(x, alpha=0.5)", lambda x: F.elu(x, 0.5), x=normal(2, 3))
add("elu far", "elu(x)", lambda x: F.elu(x), x=array([-1000, -3, 800]))
add("softplus far", "softplus(x)", lambda x: F.softplus(x, threshold=1e9), x=array([-700, -3, 30]))
add("leaky_relu slope", "leaky_relu(x, 0.2)", lambda x: F.leaky_relu(x, 0.2), x=normal(2, 3))
add("clamp", "clamp(x, -1, 0.5)", lambda x: torch.clamp(x, -1, 0.5), x=2 * normal(2, 3))
add("clamp at-ends", "clamp(x, -1, 0.5)", lambda x: torch.clamp(x, -1, 0.5), kink=True, x=array([-1, 0.5, 0, 3]))
add("maximum", "maximum(x, y)", lambda x, y: torch.maximum(x, y), x=normal(2, 3), y=normal(3))
add("minimum", "minimum(x, y)", lambda x, y: torch.minimum(x, y), x=normal(2, 1), y=normal(3))
add(
    "maximum ties",
    "maximum(x, y)",
    lambda x, y: torch.maximum(x, y),
    kink=True,
    x=array([1, 2, 3]),
    y=array([1, 3, 2]),
)
add("atan2", "atan2(x, y)", lambda x, y: torch.atan2(x, y), x=normal(2, 3), y=normal(3))
add("hypot", "hypot(x, y)", lambda x, y: torch.hypot(x, y), x=normal(2, 3), y=normal(3))
add("logaddexp", "logaddexp(x, y)", lambda x, y: torch.logaddexp(x, y), x=normal(2, 3), y=normal(3))
add("xlogy", "xlogy(x, y)", lambda x, y: torch.xlogy(x, y), x=positive(2, 3), y=positive(3))
add("xlogy zero", "xlogy(x, y)", lambda x, y: torch.xlogy(x, y), x=array([0, 0.5, 2]), y=array([3, 2, 5]))
add("lerp", "lerp(x, y, 0.3)", lambda x, y: torch.lerp(x, y, 0.3), x=normal(2, 3), y=normal(2, 3))
_MASK = array([[1, 0, 1], [0, 0, 1]])
add("where", "where(x > 0, x * y, sin(y))", lambda x, y: torch.where(x > 0, x * y, torch.sin(y)), x=normal(2, 3), y=normal(3))
# PyTorch's own slope of a branch that is not taken and not finite is NaN; moved inside it is that of the branch taken.
add(
    "where not-finite",
    "where(x > 0, log(x), x^2)",
    lambda x: torch.where(x > 0, torch.log(torch.where(x > 0, x, torch.ones_like(x))), x**2),
    x=array([-1.5, 0.5, 2, -0.25]),
)
add("logic", "where((x > 0) & !(y > 0) | (x > 1), x * y, x)", lambda x, y: torch.where(((x > 0) & ~(y > 0)) | (x > 1), x * y, x), x=normal(3, 5), y=normal(3, 5))
add("masked_fill", "masked_fill(x, y > 0, 2)", lambda x, y: torch.masked_fill(x, y > 0, 2), x=normal(2, 3), y=normal(2, 3))
add("concat", "concat([x, y], axis=0)", lambda x, y: torch.cat([x, y], 0), x=normal(2, 3), y=normal(5, 3))
add("concat last", "torch.cat((x, y, x), dim=-1)", lambda x, y: torch.cat([x, y, x], -1), x=normal(2, 3), y=normal(2, 1))
add("stack", "stack([x, y], axis=1)", lambda x, y: torch.stack([x, y], 1), x=normal(2, 3), y=normal(2, 3))
add("cumsum", "cumsum(x, axis=1)", lambda x: torch.cumsum(x, 1), x=normal(2, 5))
add("cumsum first", "cumsum(x^2)", lambda x: torch.cumsum(x**2, 0), x=normal(3, 2))
add("det", "det(x)", lambda x: torch.linalg.det(x), x=_REGULAR)
add("logdet", "logdet(x)", lambda x: torch.logdet(x), x=_REGULAR)
add("logdet batch", "logdet(x)", lambda x: torch.logdet(x), x=np.stack([_REGULAR, _REGULAR.T + np.eye(3)]))
add("var", "var(x, axis=1)", lambda x: torch.var(x, 1, correction=0), x=normal(2, 5))
add("var corrected", "var(x, axis=0, keepdims=true, correction=1)", lambda x: torch.var(x, 0, keepdim=True), x=normal(4, 3))
add("std", "std(x)", lambda x: torch.std(x, correction=0), x=normal(2, 3))
add("norm", "norm(x)", lambda x: torch.linalg.norm(x), x=normal(2, 3))
add("norm rows", "norm(x, axis=1, keepdims=true)", lambda x: torch.linalg.norm(x, dim=1, keepdim=True), x=normal(2, 3))
add("norm one", "norm(x, 1, axis=0)", lambda x: torch.linalg.norm(x, 1, 0), x=normal(4, 3))
add("norm infinite", "norm(x, p=inf, axis=1)", lambda x: torch.linalg.norm(x, float("inf"), 1), x=normal(4, 3))
add("min", "min(x, axis=1)", lambda x: torch.amin(x, 1), x=normal(2, 5))
add("log_softmax", "log_softmax(x, axis=1)", lambda x: torch.log_softmax(x, 1), x=normal(2, 5))
add("log_softmax method", "x.log_softmax(dim=0)", lambda x: torch.log_softmax(x, 0), x=normal(2, 5))
add("cosine_similarity", "cosine_similarity(x, y)", lambda x, y: F.cosine_similarity(x, y, dim=-1), x=normal(2, 5), y=normal(2, 5))
add("layer_norm", "layer_norm(x)", lambda x: F.layer_norm(x, (5,)), x=normal(2, 5))
add("layer_norm affine", "layer_norm(x, y, z, eps=1e-3)", lambda x, y, z: F.layer_norm(x, (5,), y, z, 1e-3), x=normal(2, 5), y=normal(5), z=normal(5))
add("rms_norm", "rms_norm(x, y, eps=1e-5)", lambda x, y: F.rms_norm(x, (5,), y, 1e-5), x=normal(2, 5), y=normal(5))
add("mse_loss", "mse_loss(x, y)", lambda x, y: F.mse_loss(x, y), x=normal(2, 3), y=normal(2, 3))
add("l1_loss", "F.l1_loss(x, y)", lambda x, y: F.l1_loss(x, y), x=normal(2, 3), y=normal(2, 3))
add("smooth_l1_loss", "smooth_l1_loss(x, y, beta=0.7)", lambda x, y: F.smooth_l1_loss(x, y, beta=0.7), x=normal(2, 3), y=normal(2, 3))
add("huber_loss", "huber_loss(x, y, delta=0.7)", lambda x, y: F.huber_loss(x, y, delta=0.7), x=normal(2, 3), y=normal(2, 3))
_SHARES = array([[0.2, 0.9, 0.5], [0.7, 0.1, 0.4]])
add("binary_cross_entropy", "binary_cross_entropy(x, y)", lambda x, y: -(y * torch.log(x) + (1 - y) * torch.log1p(-x)).mean(), x=_SHARES, y=array([[1, 0, 0.3], [0, 1, 1]]))
add("bce logits", "binary_cross_entropy_with_logits(x, y)", lambda x, y: F.binary_cross_entropy_with_logits(x, y), x=normal(2, 3), y=_SHARES)
add("kl_div", "kl_div(x, y)", lambda x, y: F.kl_div(x, y, reduction="mean"), x=normal(2, 3), y=_SHARES)
add("cross_entropy soft", "cross_entropy(x, softmax(y, axis=1))", lambda x, y: F.cross_entropy(x, torch.softmax(y, 1)), x=normal(3, 5), y=normal(3, 5))
add("cross_entropy classes", "F.cross_entropy(x, idx)", lambda x, idx: F.cross_entropy(x, idx), x=normal(5, 3), idx=_IDX)
add("prod", "prod(x)", lambda x: torch.prod(x), x=normal(2, 3))
add("prod rows", "prod(x, axis=1, keepdims=true)", lambda x: torch.prod(x, 1, True), x=normal(2, 5))
# PyTorch's second derivative of a product with zeros is that of the product of its factors.
add("prod zeros", "x.prod(dim=1)", lambda x: x[:, 0] * x[:, 1] * x[:, 2], x=array([[0, 2, -1.5], [0, 0, 3]]))
add("tril", "tril(x)", lambda x: torch.tril(x), x=normal(3, 5))
add("triu", "torch.triu(x, 1)", lambda x: torch.triu(x, 1), x=normal(3, 5))
add("flip", "flip(x, axis=1)", lambda x: torch.flip(x, (1,)), x=normal(2, 3))
add("roll", "roll(x, -2, axis=1)", lambda x: torch.roll(x, -2, 1), x=normal(2, 5))
add("squeeze", "x.squeeze()", lambda x: x.squeeze(), x=normal(1, 3, 1))
add("unsqueeze", "x.unsqueeze(-1) * y", lambda x, y: x.unsqueeze(-1) * y, x=normal(2), y=normal(3))
_DEFINITE = array([[3, 0.5, -1], [0.5, 2, 0.7], [-1, 0.7, 4]])
# PyTorch reads the lower triangle alone, and gives a symmetric derivative: that of the symmetric part.
add("cholesky", "cholesky(x)", lambda x: torch.linalg.cholesky((x + x.mT) / 2), x=_DEFINITE)
add("gather paired", "x[arange(5), idx]", lambda x, idx: x[torch.arange(5), idx], x=normal(5, 3), idx=_IDX)
# (PyTorch's trigamma has nine digits: lgamma and digamma are held against mpmath, in crates/ops/src/ops/polygamma.rs.)
add("polygamma", "polygamma(2, x)", lambda x: torch.polygamma(2, x), x=positive(2, 3))
add("ndtr", "ndtr(x)", lambda x: torch.special.ndtr(x), x=normal(2, 3))
add("log_ndtr", "log_ndtr(x)", lambda x: torch.special.log_ndtr(x), x=normal(2, 3))
add("eigvalsh", "eigvalsh(x)", lambda x: torch.linalg.eigvalsh((x + x.mT) / 2), x=_DEFINITE)
