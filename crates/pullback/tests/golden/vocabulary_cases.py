"""The cases of ops.py that use the whole vocabulary: name, expression in the `.grad` language, the same in PyTorch, inputs.

As in ops_cases.py; sizes are distinct where they can be, so that no transposed result has the right shape.
"""

import numpy as np
import torch
import torch.nn.functional as F

_RNG = np.random.default_rng(22)

CASES = []
KINKS = set()


def normal(*shape):
    values = np.round(_RNG.standard_normal(shape), 3)
    return np.where(np.abs(values) < 0.05, 0.25, values)


def positive(*shape):
    return np.round(_RNG.uniform(0.3, 2.5, shape), 3)


def array(values):
    return np.array(values, dtype=np.float64)


def add(name, call, f, kink=False, **inputs):
    CASES.append((name, call, f, inputs))
    if kink:
        KINKS.add(name)


# --- padding, windows, convolutions, pooling --------------------------------------------------------

add("pad constant", "pad(x, [1, 2, 0, 1])", lambda x: F.pad(x, (1, 2, 0, 1)), x=normal(2, 3))
add("pad value", "F.pad(x, (1, 2), value=1.5)", lambda x: F.pad(x, (1, 2), value=1.5), x=normal(2, 3))
add("pad cut", "pad(x, [-1, 2])", lambda x: F.pad(x, (-1, 2)), x=normal(2, 5))
add("pad numpy", "np.pad(x, ((1, 0), (2, 3)))", lambda x: F.pad(x, (2, 3, 1, 0)), x=normal(2, 3))
add("pad reflect", 'pad(x, [2, 1], mode="reflect")', lambda x: F.pad(x, (2, 1), mode="reflect"), x=normal(2, 5))
add("pad reflect-2d", 'pad(x, [1, 2, 2, 1], mode="reflect")', lambda x: F.pad(x, (1, 2, 2, 1), mode="reflect"), x=normal(1, 2, 3, 4))
add("pad replicate", 'pad(x, [2, 1], mode="replicate")', lambda x: F.pad(x, (2, 1), mode="replicate"), x=normal(2, 3))
add("pad circular", 'pad(x, [2, 1], mode="circular")', lambda x: F.pad(x, (2, 1), mode="circular"), x=normal(2, 3))
add("unfold", "x.unfold(1, 3, 2)", lambda x: x.unfold(1, 3, 2), x=normal(2, 7, 3))
add("im2col", "im2col(x, [2, 3], padding=1, stride=2)", lambda x: F.unfold(x, (2, 3), padding=1, stride=2), x=normal(2, 3, 5, 4))
add("im2col dilated", "im2col(x, 2, dilation=2)", lambda x: F.unfold(x, 2, dilation=2), x=normal(1, 2, 4, 5))
add("fold", "fold(x, [4, 5], [2, 3])", lambda x: F.fold(x, (4, 5), (2, 3)), x=normal(2, 12, 9))
add("fold strided", "fold(x, [5, 4], 2, padding=1, stride=2)", lambda x: F.fold(x, (5, 4), 2, padding=1, stride=2), x=normal(1, 8, 9))
add("conv bias", "conv2d(x, w, b, stride=2, padding=1)", lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1), x=normal(2, 3, 5, 4), w=normal(5, 3, 2, 3), b=normal(5))
add("conv strides", "conv2d(x, w, stride=[2, 1], padding=(0, 2), dilation=[1, 2])", lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(0, 2), dilation=(1, 2)), x=normal(1, 2, 5, 4), w=normal(3, 2, 2, 3))
add("conv groups", "conv1d(x, w, b, padding=1, groups=2)", lambda x, w, b: F.conv1d(x, w, b, padding=1, groups=2), x=normal(2, 4, 5), w=normal(6, 2, 3), b=normal(6))
add("conv depthwise", "conv2d(x, w, groups=3)", lambda x, w: F.conv2d(x, w, groups=3), x=normal(1, 3, 4, 5), w=normal(3, 1, 2, 2))
add("conv3d", "conv3d(x, w)", lambda x, w: F.conv3d(x, w), x=normal(1, 2, 3, 2, 4), w=normal(2, 2, 2, 1, 3))
add("conv_transpose1d", "conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1)", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1), x=normal(2, 3, 4), w=normal(3, 5, 3), b=normal(5))
add("conv_transpose2d", "conv_transpose2d(x, w, stride=[2, 1], dilation=[1, 2])", lambda x, w: F.conv_transpose2d(x, w, stride=(2, 1), dilation=(1, 2)), x=normal(1, 2, 3, 2), w=normal(2, 3, 2, 2))
add("conv_transpose groups", "conv_transpose1d(x, w, groups=2)", lambda x, w: F.conv_transpose1d(x, w, groups=2), x=normal(1, 4, 3), w=normal(4, 3, 2))
add("max_pool1d", "max_pool1d(x, 2)", lambda x: F.max_pool1d(x, 2), x=normal(2, 3, 7))
add("max_pool2d", "F.max_pool2d(x, 2, stride=1, padding=1)", lambda x: F.max_pool2d(x, 2, stride=1, padding=1), x=normal(1, 2, 4, 3))
add("max_pool2d dilated", "max_pool2d(x, (2, 3), dilation=(2, 1), ceil_mode=true)", lambda x: F.max_pool2d(x, (2, 3), dilation=(2, 1), ceil_mode=True), x=normal(1, 2, 6, 7))
add("max_pool2d unbatched", "max_pool2d(x, 2)", lambda x: F.max_pool2d(x, 2), x=normal(2, 4, 6))
add("max_pool3d", "max_pool3d(x, 2, stride=1)", lambda x: F.max_pool3d(x, 2, stride=1), x=normal(1, 1, 3, 2, 3))
add("max_pool ties", "max_pool1d(x, 3, stride=1)", lambda x: F.max_pool1d(x, 3, stride=1), kink=True, x=array([[[1, 2, 2, 2, 0, 0, 0]]]))
add("avg_pool1d", "avg_pool1d(x, 3, padding=1)", lambda x: F.avg_pool1d(x, 3, padding=1), x=normal(2, 3, 7))
add("avg_pool2d", "avg_pool2d(x, 2)", lambda x: F.avg_pool2d(x, 2), x=normal(1, 2, 4, 6))
add("avg_pool2d uncounted", "avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=true, count_include_pad=false)", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), x=normal(1, 2, 6, 5))
add("avg_pool2d ceil", "avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=true)", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True), x=normal(1, 2, 6, 5))
add("adaptive_avg_pool1d", "adaptive_avg_pool1d(x, 3)", lambda x: F.adaptive_avg_pool1d(x, 3), x=normal(1, 2, 7))
add("adaptive_avg_pool2d", "adaptive_avg_pool2d(x, [2, 3])", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), x=normal(1, 2, 5, 7))
add("adaptive_max_pool1d", "adaptive_max_pool1d(x, 3)", lambda x: F.adaptive_max_pool1d(x, 3), x=normal(1, 2, 7))
add("adaptive_max_pool2d", "adaptive_max_pool2d(x, [2, 1])", lambda x: F.adaptive_max_pool2d(x, (2, 1)), x=normal(1, 2, 5, 3))

# --- interpolation ----------------------------------------------------------------------------------

add("interpolate nearest", "interpolate(x, size=5)", lambda x: F.interpolate(x, size=5), x=normal(1, 2, 3))
add("interpolate scale", "interpolate(x, scale_factor=2)", lambda x: F.interpolate(x, scale_factor=2), x=normal(1, 2, 3, 2))
add("interpolate exact", 'interpolate(x, size=5, mode="nearest-exact")', lambda x: F.interpolate(x, size=5, mode="nearest-exact"), x=normal(1, 2, 3))
add("interpolate linear", 'interpolate(x, size=5, mode="linear")', lambda x: F.interpolate(x, size=5, mode="linear", align_corners=False), x=normal(1, 2, 3))
add("interpolate bilinear", 'interpolate(x, size=[4, 5], mode="bilinear", align_corners=true)', lambda x: F.interpolate(x, size=(4, 5), mode="bilinear", align_corners=True), x=normal(1, 2, 3, 2))
add("interpolate bilinear-scale", 'interpolate(x, scale_factor=1.7, mode="bilinear")', lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear", align_corners=False), x=normal(1, 1, 3, 4))
add("interpolate bicubic", 'interpolate(x, size=[5, 7], mode="bicubic")', lambda x: F.interpolate(x, size=(5, 7), mode="bicubic", align_corners=False), x=normal(1, 1, 4, 3))
add("interpolate area", 'interpolate(x, size=3, mode="area")', lambda x: F.interpolate(x, size=3, mode="area"), x=normal(1, 2, 7))

# --- shapes -----------------------------------------------------------------------------------------

add("narrow", "narrow(x, 1, 1, 2)", lambda x: x.narrow(1, 1, 2), x=normal(2, 5))
add("select", "select(x, 1, -2)", lambda x: x.select(1, -2), x=normal(2, 5, 3))
add("unbind", "unbind(x, axis=1)[2]", lambda x: x.unbind(1)[2], x=normal(2, 3))
add("chunk", "chunk(x, 3, axis=1)[2]", lambda x: x.chunk(3, 1)[2], x=normal(2, 7))
add("split sizes", "split(x, [2, 1, 4], dim=1)[2]", lambda x: x.split([2, 1, 4], 1)[2], x=normal(2, 7))
add("broadcast_to", "broadcast_to(x, [4, 2, 3])", lambda x: x.broadcast_to(4, 2, 3), x=normal(2, 1))
add("expand", "x.expand(-1, 3)", lambda x: x.expand(-1, 3), x=normal(2, 1))
add("tile", "tile(x, [2, 3])", lambda x: x.tile(2, 3), x=normal(2, 3))
add("tile new", "tile(x, (2, 1, 2))", lambda x: x.tile(2, 1, 2), x=normal(2, 3))
add("repeat torch", "x.repeat(reps=[2, 3])", lambda x: x.repeat(2, 3), x=normal(2, 3))
add("repeat numpy", "np.repeat(x, repeats=2, axis=1)", lambda x: x.repeat_interleave(2, 1), x=normal(2, 3))
add("repeat_interleave", "repeat_interleave(x, 3)", lambda x: x.repeat_interleave(3), x=normal(2, 2))
add("flatten", "torch.flatten(x, 1)", lambda x: torch.flatten(x, 1), x=normal(2, 3, 5))
add("flatten middle", "flatten(x, start_dim=1, end_dim=2)", lambda x: torch.flatten(x, 1, 2), x=normal(2, 3, 5, 2))
add("movedim", "movedim(x, 0, -1)", lambda x: x.movedim(0, -1), x=normal(2, 3, 5))
add("diagonal", "diagonal(x)", lambda x: x.diagonal(), x=normal(3, 5))
add("diagonal offset", "diagonal(x, 1, 1, 2)", lambda x: x.diagonal(1, 1, 2), x=normal(2, 3, 5))
add("diagonal below", "x.diagonal(offset=-1, axis1=0, axis2=2)", lambda x: x.diagonal(-1, 0, 2), x=normal(4, 2, 3))
add("diag_embed", "diag_embed(x)", lambda x: torch.diag_embed(x), x=normal(2, 3))
add("pixel_shuffle", "pixel_shuffle(x, 2)", lambda x: F.pixel_shuffle(x, 2), x=normal(1, 8, 2, 3))
add("pixel_unshuffle", "pixel_unshuffle(x, 2)", lambda x: F.pixel_unshuffle(x, 2), x=normal(1, 2, 4, 6))
add("channel_shuffle", "channel_shuffle(x, 3)", lambda x: x.reshape(1, 3, 2, 2, 2).transpose(1, 2).reshape(1, 6, 2, 2), x=normal(1, 6, 2, 2))
add("mT", "x.mT @ y", lambda x, y: x.mT @ y, x=normal(2, 3, 5), y=normal(2, 3, 1))
add("shape", "x / x.shape[1] + size(y)", lambda x, y: x / x.shape[1] + y.numel(), x=normal(2, 3), y=normal(3))
add("reshape shape", "reshape(x, y.shape) * y", lambda x, y: x.reshape(y.shape) * y, x=normal(2, 3), y=normal(3, 2))
add("full", "full([2, 3], 1.5) * x", lambda x: torch.full((2, 3), 1.5) * x, x=normal(2, 3))
add("linspace", "linspace(0, 1, 5) * x", lambda x: torch.linspace(0, 1, 5) * x, x=normal(5))
add("masked_select", "masked_select(x, y > 0)", lambda x, y: torch.masked_select(x, y > 0), x=normal(2, 3), y=array([[1, -1, 2], [-3, -1, 4]]))
add("vander", "vander(x, 4)", lambda x: torch.stack([x**3, x**2, x, x**0], 1), x=positive(3))
add("diff", "diff(x)", lambda x: torch.diff(x), x=normal(2, 5))

# --- element by element -----------------------------------------------------------------------------

_NUMBERS = array([[7.3, -7.3, 0.4], [7.3, -7.3, 5.2]])
_DIVISORS = array([[2.1, 2.1, -1.3], [-2.1, -2.1, 0.7]])
add("remainder", "remainder(x, y)", lambda x, y: torch.remainder(x, y), x=_NUMBERS, y=_DIVISORS)
add("fmod", "fmod(x, y)", lambda x, y: torch.fmod(x, y), x=_NUMBERS, y=_DIVISORS)
add("hypot large", "hypot(x, y) / 1e200", lambda x, y: torch.hypot(x / 1e200, y / 1e200), x=1e200 * normal(3), y=1e200 * normal(3))
add("erfinv", "erfinv(x)", lambda x: torch.erfinv(x), x=array([-0.8, 0.01, 0.5, 0.9]))
add("ndtri", "ndtri(x)", lambda x: torch.special.ndtri(x), x=array([0.2, 0.51, 0.9]))
add("erfcx", "erfcx(x)", lambda x: torch.exp(x**2) * torch.special.erfc(x), x=array([-1.5, 0, 0.3, 2]))
# (At -40 PyTorch's second derivative has ten digits.)
add("log_ndtr far", "log_ndtr(x)", lambda x: torch.special.log_ndtr(x), x=array([-12, -3, 0.5, 6]))
add("xlog1py", "xlog1py(x, y)", lambda x, y: torch.special.xlog1py(x, y), x=array([0, 0.5, 2]), y=array([3, 2, 5]))
add("entr", "entr(x)", lambda x: torch.special.entr(x), x=positive(4))
add("sinc", "sinc(x)", lambda x: torch.sinc(x), x=array([-1.3, 0.2, 2.5]))
add("frac", "frac(x)", lambda x: torch.frac(x), x=normal(2, 3))
add("logaddexp2", "logaddexp2(x, y)", lambda x, y: torch.logaddexp2(x, y), x=normal(2, 3), y=normal(3))
add("addcmul", "addcmul(x, y, z, value=0.5)", lambda x, y, z: torch.addcmul(x, y, z, value=0.5), x=normal(3), y=normal(3), z=normal(3))
add("addcdiv", "addcdiv(x, y, z, value=0.5)", lambda x, y, z: torch.addcdiv(x, y, z, value=0.5), x=normal(3), y=normal(3), z=positive(3))
add("nan_to_num", "nan_to_num(x / y, posinf=7, neginf=-5)", lambda x, y: torch.where(y == 0, torch.where(x > 0, 7.0, -5.0), x / torch.where(y == 0, 1.0, y)), kink=True, x=array([1, -2, 3]), y=array([0.5, 0, 2]))
add("clamp min", "clamp(x, min=0.3)", lambda x: torch.clamp(x, min=0.3), x=normal(2, 3))
add("clip max", "np.clip(x, none, 0.3)", lambda x: torch.clamp(x, max=0.3), x=normal(2, 3))
add("prelu channels", "prelu(x, w)", lambda x, w: F.prelu(x, w), x=normal(2, 3, 2), w=positive(3))
add("prelu one", "prelu(x, w)", lambda x, w: F.prelu(x, w), x=normal(2, 3), w=positive(1))
add("gelu argument", 'F.gelu(x, approximate="tanh")', lambda x: F.gelu(x, approximate="tanh"), x=normal(2, 3))
add("hardshrink", "hardshrink(x)", lambda x: F.hardshrink(x), x=normal(2, 3))
add("softshrink", "softshrink(x, 0.3)", lambda x: F.softshrink(x, 0.3), x=normal(2, 3))
add("threshold", "threshold(x, 0.1, 5)", lambda x: F.threshold(x, 0.1, 5), x=normal(2, 3))
add("softmin", "softmin(x, axis=1)", lambda x: F.softmin(x, dim=1), x=normal(2, 3))
add("glu", "glu(x)", lambda x: F.glu(x), x=normal(2, 6))
add("glu first", "glu(x, axis=0)", lambda x: F.glu(x, dim=0), x=normal(4, 3))
add("any", "where(any(x > 1, axis=1), y, 2 * y)", lambda x, y: torch.where((x > 1).any(1), y, 2 * y), x=array([[0, 2, 0], [0.5, 0.2, -1]]), y=normal(2))
add("all", "where(all(x > 0, axis=1), y, 2 * y)", lambda x, y: torch.where((x > 0).all(1), y, 2 * y), x=array([[1, 2, 3], [0.5, 0.2, -1]]), y=normal(2))
add("logical_xor", "where(logical_xor(x > 0, y > 0), x, x * y)", lambda x, y: torch.where((x > 0) ^ (y > 0), x, x * y), x=normal(2, 3), y=normal(2, 3))

# --- reductions -------------------------------------------------------------------------------------

add("std torch", "torch.std(x, dim=1)", lambda x: torch.std(x, dim=1), x=normal(2, 5))
add("std numpy", "np.std(x, axis=1)", lambda x: torch.std(x, dim=1, correction=0), x=normal(2, 5))
add("var torch", "torch.var(x)", lambda x: torch.var(x), x=normal(2, 3))
add("var biased", "torch.var(x, dim=1, unbiased=False)", lambda x: torch.var(x, dim=1, unbiased=False), x=normal(2, 5))
add("max ties-first", 'max(x, axis=1, ties="first")', lambda x: F.max_pool1d(x[None], 3)[0, :, 0], kink=True, x=array([[1, 3, 3], [2, 2, 1]]))
add("cumprod", "cumprod(x, axis=1)", lambda x: torch.cumprod(x, 1), x=normal(2, 5))
# (PyTorch's second derivative of a cumulative product with zeros is NaN: products of slices have it.)
add("cumprod zeros", "cumprod(x)", lambda x: torch.stack([x[0], x[0] * x[1], x[0] * x[1] * x[2], x[0] * x[1] * x[2] * x[3]]), x=array([2, 0, 3, -1]))
add("cummax", "cummax(x, axis=1)", lambda x: torch.cummax(x, 1).values, x=normal(2, 5))
add("cummin", "cummin(x)", lambda x: torch.cummin(x, 0).values, x=normal(5, 2))
add("logcumsumexp", "logcumsumexp(x, axis=1)", lambda x: torch.logcumsumexp(x, 1), x=normal(2, 5))
add("logcumsumexp first", "logcumsumexp(x, axis=0)", lambda x: torch.stack([torch.logsumexp(x[: k + 1], 0) for k in range(4)]), x=array([-800, 3, 700, 1]))
add("nansum", "nansum(x * y)", lambda x, y: torch.nansum(x * y), x=normal(3), y=normal(3))
add("var_mean", "var_mean(x, axis=1)[0]", lambda x: torch.var_mean(x, 1)[0], x=normal(2, 5))
add("average", "average(x, axis=1, weights=w)", lambda x, w: (x * w).sum(1) / w.sum(), x=normal(2, 3), w=positive(3))
add("cov", "cov(x)", lambda x: torch.cov(x), x=normal(3, 5))
add("corrcoef", "corrcoef(x)", lambda x: torch.corrcoef(x), x=normal(3, 5))
add("trapz", "trapz(x, dx=0.5)", lambda x: torch.trapezoid(x, dx=0.5), x=normal(2, 5))
add("normalize", "normalize(x)", lambda x: F.normalize(x), x=normal(2, 5))

# --- matrices ---------------------------------------------------------------------------------------

_MATRIX = array([[2.1, -0.4, 0.3], [0.7, 1.6, -0.9], [-0.2, 0.5, 3.2]])
_SINGULAR = array([[1, 2, 3], [2, 4, 6], [0.5, -1, 2]])


def determinant(x):
    """By its three rows: PyTorch's own second derivative of a singular matrix is not finite."""
    return (x[0] * torch.linalg.cross(x[1], x[2])).sum()


add("det singular", "det(x)", determinant, x=_SINGULAR)
add("det rank-one", "det(x)", determinant, x=np.outer(array([1, 2, -1]), array([0.5, 1, 3])))
add("slogdet", "slogdet(x)[1]", lambda x: torch.linalg.slogdet(x)[1], x=-_MATRIX)
add("svdvals", "svdvals(x)", lambda x: torch.linalg.svdvals(x), x=normal(3, 5))
add("svdvals tall", "svdvals(x)", lambda x: torch.linalg.svdvals(x), x=normal(5, 2))
add("svd again", "svd(x)[0] @ diag(svd(x)[1]^2) @ svd(x)[2].T", lambda x: (lambda u, s, v: u @ torch.diag(s**2) @ v)(*torch.linalg.svd(x, full_matrices=False)), x=normal(4, 3))
add("svd polar", "svd(x)[0] @ svd(x)[2].T", lambda x: (lambda u, s, v: u @ v)(*torch.linalg.svd(x, full_matrices=False)), x=normal(4, 3))
add("svd polar-wide", "svd(x)[0] @ svd(x)[2].T", lambda x: (lambda u, s, v: u @ v)(*torch.linalg.svd(x, full_matrices=False)), x=normal(2, 3))
add("nuclear_norm", "nuclear_norm(x)", lambda x: torch.linalg.matrix_norm(x, "nuc"), x=normal(4, 3))
add("pinv tall", "pinv(x)", lambda x: torch.linalg.solve(x.T @ x, x.T), x=normal(5, 3))
add("pinv wide", "pinv(x)", lambda x: x.T @ torch.linalg.inv(x @ x.T), x=normal(2, 5))
add("pinv batch", "pinv(x)", lambda x: torch.linalg.pinv(x), x=normal(2, 4, 3))
add("lstsq", "lstsq(x, y)", lambda x, y: torch.linalg.solve(x.T @ x, x.T @ y), x=normal(5, 3), y=normal(5, 2))
add("matrix_power", "matrix_power(x, 5)", lambda x: torch.linalg.matrix_power(x, 5), x=_MATRIX / 2)
add("matrix_power negative", "matrix_power(x, -3)", lambda x: torch.linalg.matrix_power(x, -3), x=_MATRIX)
add("expm", "expm(x)", lambda x: torch.linalg.matrix_exp(x), x=_MATRIX)
add("expm large", "matrix_exp(4 * x)", lambda x: torch.linalg.matrix_exp(4 * x), x=_MATRIX - 2 * np.eye(3))
add("solve_triangular", "solve_triangular(x, y, lower=true)", lambda x, y: torch.linalg.solve_triangular(x, y, upper=False), x=_MATRIX, y=normal(3, 2))
add("solve_triangular upper", "solve_triangular(x, y, upper=true)", lambda x, y: torch.linalg.solve_triangular(x, y, upper=True), x=_MATRIX, y=normal(3, 2))
add("cholesky_solve", "cholesky_solve(y, x)", lambda x, y: torch.cholesky_solve(y, torch.tril(x)), x=_MATRIX, y=normal(3, 2))
add("cross", "cross(x, y)", lambda x, y: torch.linalg.cross(x, y), x=normal(2, 3), y=normal(2, 3))
add("inner", "inner(x, y)", lambda x, y: torch.inner(x, y), x=normal(2, 3), y=normal(5, 3))
add("addmm", "addmm(x, y, z, beta=0.5, alpha=2)", lambda x, y, z: torch.addmm(x, y, z, beta=0.5, alpha=2), x=normal(2, 5), y=normal(2, 3), z=normal(3, 5))
add("cdist", "cdist(x, y)", lambda x, y: (x[:, None] - y[None]).norm(dim=-1), x=normal(2, 3), y=normal(4, 3))
add("pairwise_distance", "pairwise_distance(x, y)", lambda x, y: F.pairwise_distance(x, y), x=normal(2, 3), y=normal(2, 3))

# --- Fourier transforms on pairs --------------------------------------------------------------------

add("fft re", "fft(x)[0]", lambda x: torch.fft.fft(x).real, x=normal(2, 5))
add("fft im", "fft(x, y)[1]", lambda x, y: torch.fft.fft(torch.complex(x, y)).imag, x=normal(7), y=normal(7))
add("ifft", "ifft(x, y)[0]", lambda x, y: torch.fft.ifft(torch.complex(x, y)).real, x=normal(2, 5), y=normal(2, 5))
add("rfft", "rfft(x)[0]^2 + rfft(x)[1]^2", lambda x: torch.fft.rfft(x).abs() ** 2, x=normal(2, 6))
add("rfft odd", "rfft(x)[1]", lambda x: torch.fft.rfft(x).imag, x=normal(7))
add("irfft", "irfft(x, y)", lambda x, y: torch.fft.irfft(torch.complex(x, y)), x=normal(2, 4), y=normal(2, 4))
add("irfft odd", "irfft(x, y, n=7)", lambda x, y: torch.fft.irfft(torch.complex(x, y), n=7), x=normal(4), y=normal(4))
add("fft2", "fft2(x)[0]", lambda x: torch.fft.fft2(x).real, x=normal(3, 5))
add("convolve", "convolve(x, y)", lambda x, y: F.conv1d(x[None, None], y.flip(0)[None, None], padding=2)[0, 0], x=normal(5), y=normal(3))

# --- layers -----------------------------------------------------------------------------------------

add("linear", "F.linear(x, w, b)", lambda x, w, b: F.linear(x, w, b), x=normal(2, 3), w=normal(5, 3), b=normal(5))
add("dropout", "dropout(x, y, p=0.25)", lambda x, y: x * y / 0.75, x=normal(2, 3), y=array([[1, 0, 1], [0, 1, 1]]))
add("batch_norm", "batch_norm(x)", lambda x: F.batch_norm(x, None, None, training=True), x=normal(4, 3))
add("batch_norm images", "batch_norm(x, weight=w, bias=b, training=true)", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), x=normal(2, 3, 2, 2), w=positive(3), b=normal(3))
add("batch_norm running", "F.batch_norm(x, m, v, w, b)", lambda x, m, v, w, b: (x - m[:, None]) / torch.sqrt(v[:, None] + 1e-5) * w[:, None] + b[:, None], x=normal(2, 3, 4), m=normal(3), v=positive(3), w=positive(3), b=normal(3))
add("group_norm", "group_norm(x, 2, w, b)", lambda x, w, b: F.group_norm(x, 2, w, b), x=normal(2, 4, 3), w=positive(4), b=normal(4))
add("instance_norm", "instance_norm(x)", lambda x: F.instance_norm(x), x=normal(2, 3, 5))
add("local_response_norm", "local_response_norm(x, 3, alpha=0.5)", lambda x: F.local_response_norm(x, 3, alpha=0.5), x=normal(2, 5, 3))
add("local_response_norm even", "local_response_norm(x, 2, alpha=0.5)", lambda x: F.local_response_norm(x, 2, alpha=0.5), x=normal(2, 5, 2, 2))
add("embedding_bag", "embedding_bag(idx, w)", lambda w, idx: w[idx].mean(-2), w=normal(4, 3), idx=np.array([[0, 2], [3, 3]]))
add("attention", "scaled_dot_product_attention(q, k, v)", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), q=normal(2, 3, 4), k=normal(2, 5, 4), v=normal(2, 5, 7))
add("attention causal", "F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3)", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3), q=normal(1, 4, 3), k=normal(1, 4, 3), v=normal(1, 4, 2))
add("attention mask", "scaled_dot_product_attention(q, k, v, mask=m > 0)", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m > 0), q=normal(3, 4), k=normal(5, 4), v=normal(5, 2), m=normal(3, 5))
add("attention added", "scaled_dot_product_attention(q, k, v, attn_mask=m)", lambda q, k, v, m: torch.softmax(q @ k.mT / 2 + m, -1) @ v, q=normal(3, 4), k=normal(5, 4), v=normal(5, 2), m=normal(3, 5))
add("attention grouped", "scaled_dot_product_attention(q, k, v, enable_gqa=true)", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True), q=normal(1, 4, 3, 2), k=normal(1, 2, 3, 2), v=normal(1, 2, 3, 5))


def rope(x):
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).double(), 10000.0 ** (-torch.arange(half).double() / half))
    angles = torch.cat([angles, angles], -1)
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * torch.cos(angles) + turned * torch.sin(angles)


add("rope", "rope(x)", rope, x=normal(2, 3, 4))


def cell(kind, hidden, **weights):
    made = {"gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell, "rnn": torch.nn.RNNCell}[kind](3, 2, dtype=torch.float64)
    names = {"weight_ih": "w", "weight_hh": "u", "bias_ih": "b", "bias_hh": "c"}
    return lambda **xs: torch.func.functional_call(made, {n: xs[m] for n, m in names.items()}, hidden(xs))


add("gru_cell", "gru_cell(x, h, w, u, b, c)", cell("gru", lambda xs: (xs["x"], xs["h"])), x=normal(2, 3), h=normal(2, 2), w=normal(6, 3), u=normal(6, 2), b=normal(6), c=normal(6))
add("rnn_cell", "rnn_cell(x, h, w, u, b, c)", cell("rnn", lambda xs: (xs["x"], xs["h"])), x=normal(2, 3), h=normal(2, 2), w=normal(2, 3), u=normal(2, 2), b=normal(2), c=normal(2))


def lstm(x, h, d, w, u, b, c):
    i, f, g, o = (x @ w.T + b + h @ u.T + c).chunk(4, -1)
    d = torch.sigmoid(f) * d + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(d)


add("lstm_cell", "lstm_cell(x, h, d, w, u, b, c)[0]", lstm, x=normal(2, 3), h=normal(2, 2), d=normal(2, 2), w=normal(8, 3), u=normal(8, 2), b=normal(8), c=normal(8))

# --- losses -----------------------------------------------------------------------------------------

_SHARES = array([[0.2, 0.9, 0.5], [0.7, 0.1, 0.4]])
_SIGNS = array([1, -1, 1])
_CLASSES = np.array([2, 0, 1, 2])
_SOME = np.array([2, -100, 1, 0])
add("mse sum", 'mse_loss(x, y, reduction="sum")', lambda x, y: F.mse_loss(x, y, reduction="sum"), x=normal(2, 3), y=normal(2, 3))
add("l1 none", 'l1_loss(x, y, reduction="none")', lambda x, y: F.l1_loss(x, y, reduction="none"), x=normal(2, 3), y=normal(2, 3))
add("bce weight", "binary_cross_entropy(x, y, weight=w)", lambda x, y, w: -(w * (y * torch.log(x) + (1 - y) * torch.log1p(-x))).mean(), x=_SHARES, y=array([[1, 0, 0.3], [0, 1, 1]]), w=positive(3))
add("bce pos_weight", "binary_cross_entropy_with_logits(x, y, pos_weight=w)", lambda x, y, w: -(w * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x)).mean(), x=normal(2, 3), y=_SHARES, w=positive(3))
add("focal", "sigmoid_focal_loss(x, y, reduction=\"mean\")", lambda x, y: ((0.25 * y + 0.75 * (1 - y)) * (1 - (torch.sigmoid(x) * y + (1 - torch.sigmoid(x)) * (1 - y))) ** 2 * F.binary_cross_entropy_with_logits(x, y, reduction="none")).mean(), x=normal(2, 3), y=array([[1, 0, 0], [0, 1, 1]]))
add("kl_div batchmean", 'kl_div(x, y, reduction="batchmean")', lambda x, y: F.kl_div(x, y, reduction="batchmean"), x=normal(2, 3), y=_SHARES)
add("kl_div log", "kl_div(x, y, log_target=true)", lambda x, y: F.kl_div(x, y, reduction="mean", log_target=True), x=normal(2, 3), y=normal(2, 3))
add("poisson", "poisson_nll_loss(x, y)", lambda x, y: F.poisson_nll_loss(x, y), x=normal(2, 3), y=_SHARES)
add("gaussian", "gaussian_nll_loss(x, y, v)", lambda x, y, v: F.gaussian_nll_loss(x, y, v), x=normal(2, 3), y=normal(2, 3), v=positive(2, 3))
add("soft_margin", "soft_margin_loss(x, y)", lambda x, y: torch.log1p(torch.exp(-y * x)).mean(), x=normal(3), y=_SIGNS)
add("hinge_embedding", "hinge_embedding_loss(x, y)", lambda x, y: torch.where(y == 1, x, torch.relu(1 - x)).mean(), kink=True, x=normal(3), y=_SIGNS)
add("margin_ranking", "margin_ranking_loss(x, z, y, margin=0.3)", lambda x, z, y: F.margin_ranking_loss(x, z, y, margin=0.3), x=normal(3), z=normal(3), y=_SIGNS)
add("cosine_embedding", "cosine_embedding_loss(x, z, y, margin=-0.9)", lambda x, z, y: F.cosine_embedding_loss(x, z, y, margin=-0.9), kink=True, x=normal(3, 4), z=normal(3, 4), y=_SIGNS)
add("triplet", "triplet_margin_loss(x, y, z, margin=2)", lambda x, y, z: F.triplet_margin_loss(x, y, z, margin=2), x=normal(3, 4), y=normal(3, 4), z=normal(3, 4))
add("multilabel_soft_margin", "multilabel_soft_margin_loss(x, y)", lambda x, y: F.multilabel_soft_margin_loss(x, y), x=normal(2, 3), y=array([[1, 0, 0], [0, 1, 1]]))
add("nll_loss", "nll_loss(x, idx)", lambda x, idx: F.nll_loss(x, idx), x=normal(4, 3), idx=_CLASSES)
add("nll_loss weighed", "nll_loss(x, idx, weight=w)", lambda x, w, idx: -(w[idx] * x[torch.arange(4), idx]).sum() / w[idx].sum(), x=normal(4, 3), w=positive(3), idx=_CLASSES)
add("nll_loss ignored", 'nll_loss(x, idx, reduction="sum")', lambda x, idx: F.nll_loss(x, idx, reduction="sum"), x=normal(4, 3), idx=_SOME)
add("cross_entropy weighed", "cross_entropy(x, idx, weight=w)", lambda x, w, idx: -(w[idx] * torch.log_softmax(x, 1)[torch.arange(4), idx]).sum() / w[idx].sum(), x=normal(4, 3), w=positive(3), idx=_CLASSES)
add("cross_entropy ignored", "cross_entropy(x, idx)", lambda x, idx: F.cross_entropy(x, idx), x=normal(4, 3), idx=_SOME)
add("cross_entropy smoothed", "cross_entropy(x, idx, label_smoothing=0.1)", lambda x, idx: F.cross_entropy(x, idx, label_smoothing=0.1), x=normal(4, 3), idx=_SOME)
add("cross_entropy all", 'cross_entropy(x, idx, weight=[0.5, 2, 1.5], label_smoothing=0.2, ignore_index=1)', lambda x, idx: F.cross_entropy(x, idx, weight=torch.tensor([0.5, 2, 1.5]), label_smoothing=0.2, ignore_index=1), x=normal(4, 3), idx=_CLASSES)
add("cross_entropy images", "cross_entropy(x, idx, axis=1)", lambda x, idx: F.cross_entropy(x, idx), x=normal(2, 3, 4), idx=np.array([[0, 2, 1, 1], [2, 2, 0, 1]]))
add("cross_entropy soft-smoothed", "cross_entropy(x, softmax(y, axis=1), label_smoothing=0.1, reduction=\"sum\")", lambda x, y: F.cross_entropy(x, torch.softmax(y, 1), label_smoothing=0.1, reduction="sum"), x=normal(3, 5), y=normal(3, 5))


def ctc(x, idx):
    """The sum over all paths, which are few: PyTorch's own has no second derivative."""
    import itertools

    total = []
    for path in itertools.product(range(x.shape[1]), repeat=x.shape[0]):
        kept = [c for c, _ in itertools.groupby(path) if c != 0]
        if kept == idx.tolist():
            total.append(sum(x[t, c] for t, c in enumerate(path)))
    return -torch.logsumexp(torch.stack(total), 0)


add("ctc_loss", "ctc_loss(log_softmax(x), idx)", lambda x, idx: ctc(torch.log_softmax(x, 1), idx), x=normal(5, 3), idx=np.array([1, 2]))
add("ctc_loss repeated", "ctc_loss(x, idx)", ctc, x=normal(5, 3), idx=np.array([2, 2]))


# --- what PyTorch's samples ask for -----------------------------------------------------------------

_SPD = array([[3.0, 0.5, -1.0], [0.5, 2.0, 0.7], [-1.0, 0.7, 4.0]])
_LOWER = array([[1.5, 0, 0], [0.4, 2.0, 0], [-0.3, 0.7, 1.2]])

add("atleast_3d", "atleast_3d(x)", lambda x: torch.atleast_3d(x), x=normal(2, 3))
add("dstack", "dstack([x, y])", lambda x, y: torch.dstack([x, y]), x=normal(2, 3), y=normal(2, 3))
add("hsplit", "hsplit(x, 2)[1]", lambda x: torch.hsplit(x, 2)[1], x=normal(3, 4))
add("vsplit", "vsplit(x, 2)[0]", lambda x: torch.vsplit(x, 2)[0], x=normal(4, 3))
add("dsplit", "dsplit(x, 2)[1]", lambda x: torch.dsplit(x, 2)[1], x=normal(2, 1, 4))
add("meshgrid ij", 'meshgrid(x, y, indexing="ij")[1]', lambda x, y: torch.meshgrid(x, y, indexing="ij")[1], x=normal(2), y=normal(3))
add("meshgrid xy", 'torch.meshgrid([x, y], indexing="xy")[0]', lambda x, y: torch.meshgrid(x, y, indexing="xy")[0], x=normal(2), y=normal(3))
add("meshgrid three", "meshgrid(x, y, z)[2] * meshgrid(x, y, z)[0] * meshgrid(x, y, z)[1]", lambda x, y, z: torch.stack(torch.meshgrid(x, y, z, indexing="ij")).prod(0), x=normal(2), y=normal(3), z=normal(2))
add("meshgrid three xy", 'meshgrid(x, y, z, indexing="xy")[2] + meshgrid(x, y, z, indexing="xy")[0]^2', lambda x, y, z: torch.meshgrid(x, y, z, indexing="xy")[2] + torch.meshgrid(x, y, z, indexing="xy")[0] ** 2, x=normal(2), y=normal(3), z=normal(2))
add("cartesian_prod", "cartesian_prod(x, y)", lambda x, y: torch.cartesian_prod(x, y), x=normal(2), y=normal(3))
add("cartesian_prod three", "cartesian_prod(x, y, z)", lambda x, y, z: torch.cartesian_prod(x, y, z), x=normal(2), y=normal(1), z=normal(3))
add("combinations", "combinations(x)", lambda x: torch.combinations(x), x=normal(4))
add("broadcast_tensors", "broadcast_tensors(x, y, z)[1]", lambda x, y, z: torch.broadcast_tensors(x, y, z)[1], x=normal(3), y=normal(2, 1), z=normal(1))
add("sum_to_size", "x.sum_to_size(1, 3)", lambda x: x.sum_to_size(1, 3), x=normal(2, 5, 3))
add("tensordot", "tensordot(x, y, 2)", lambda x, y: torch.tensordot(x, y, 2), x=normal(2, 3, 5), y=normal(3, 5, 2))
add("tensordot named", "np.tensordot(x, y, axes=[[0, 2], [1, 0]])", lambda x, y: torch.tensordot(x, y, ([0, 2], [1, 0])), x=normal(2, 3, 5), y=normal(5, 2, 3))
add("multi_dot", "torch.linalg.multi_dot([x, y, z])", lambda x, y, z: torch.linalg.multi_dot([x, y, z]), x=normal(2, 3), y=normal(3, 5), z=normal(5))
add("movedim several", "movedim(x, [0, 1], [2, 0])", lambda x: torch.movedim(x, (0, 1), (2, 0)), x=normal(2, 3, 5))
add("fftshift", "fftshift(x)", lambda x: torch.fft.fftshift(x), x=normal(3, 5))
add("ifftshift", "np.fft.ifftshift(x, axes=[1])", lambda x: torch.fft.ifftshift(x, dim=[1]), x=normal(2, 5))
add("irfft real", "irfft(x)", lambda x: torch.fft.irfft(x), x=normal(5))
add("irfft2", "irfft2(x, y)", lambda x, y: torch.fft.irfft2(torch.complex(x, y)), x=normal(3, 4), y=normal(3, 4))
add("rfft2", "rfft2(x)[1]", lambda x: torch.fft.rfft2(x).imag, x=normal(3, 4))
add("torch.max", "torch.max(x, 1)[0]", lambda x: torch.max(x, 1)[0], x=normal(3, 4))
add("torch.min kept", "torch.min(x, dim=0, keepdim=True)[0]", lambda x: torch.min(x, dim=0, keepdim=True)[0], x=normal(3, 4))
add("torch.max of two", "torch.max(x, y)", lambda x, y: torch.max(x, y), x=normal(3, 4), y=normal(4))
add("torch.median", "torch.median(x)", lambda x: torch.median(x), x=normal(3, 4))
add("torch.median along", "torch.median(x, dim=1)[0]", lambda x: torch.median(x, dim=1)[0], x=normal(3, 4))
add("torch.cummax", "torch.cummax(x, 1)[0]", lambda x: torch.cummax(x, 1)[0], x=normal(3, 4))
add("torch.cummin", "torch.cummin(x, 0)[0]", lambda x: torch.cummin(x, 0)[0], x=normal(3, 4))
add("torch.var", "torch.var(x, False)", lambda x: torch.var(x, False), x=normal(5))
add("kthvalue kept", "kthvalue(x, 2, keepdims=true)[0]", lambda x: torch.kthvalue(x, 2, keepdim=True)[0], x=normal(3, 4))
add("mode", "mode(x)[0]", lambda x: torch.mode(x)[0], x=normal(3, 4))
add("nanmedian", "nanmedian(x, axis=1)", lambda x: torch.nanmedian(x, dim=1)[0], x=normal(3, 4))
add("nanquantile", "nanquantile(x, 0.3)", lambda x: torch.nanquantile(x, 0.3), x=normal(5))
add("nanquantile along", "nanquantile(x, 0.6, axis=0, interpolation=\"midpoint\")", lambda x: torch.nanquantile(x, 0.6, dim=0, interpolation="midpoint"), x=normal(4, 3))
add("scalar axis", "logsumexp(x, axis=0) * sort(x, axis=-1)[0] * cumsum(x, axis=0)", lambda x: torch.logsumexp(x, 0) * torch.sort(x)[0] * torch.cumsum(x, 0), x=array(0.7))
add("diff third", "diff(x, 3)", lambda x: torch.diff(x, 3), x=normal(2, 6))
add("diff prepended", "diff(x, n=2, axis=0, prepend=y)", lambda x, y: torch.diff(x, n=2, dim=0, prepend=y), x=normal(4, 3), y=normal(1, 3))
add("torch.gradient", "torch.gradient(x, spacing=2.0)[1]", lambda x: torch.gradient(x, spacing=2.0)[1], x=normal(3, 4))
add("torch.gradient edges", "torch.gradient(x, dim=0, edge_order=2)[0]", lambda x: torch.gradient(x, dim=0, edge_order=2)[0], x=normal(4, 3))
add("trapezoid along", "trapezoid(y, x, dim=0)", lambda x, y: torch.trapezoid(y, x, dim=0), x=normal(3, 4), y=normal(3, 4))
add("trapezoid at points", "trapz(y, x, axis=1)", lambda x, y: torch.trapezoid(y, x, dim=1), x=normal(4), y=normal(3, 4))
add("cumulative_trapezoid along", "cumulative_trapezoid(y, dim=0)", lambda y: torch.cumulative_trapezoid(y, dim=0), y=normal(3, 4))
add("cov weighed", "cov(x, correction=1, fweights=[1, 3, 2, 2], aweights=w)", lambda x, w: torch.cov(x, correction=1, fweights=torch.tensor([1, 3, 2, 2]), aweights=w), x=normal(2, 4), w=positive(4))
add("logit eps", "logit(x, 0.2)", lambda x: torch.logit(x, 0.2), x=array([0.05, 0.3, 0.7, 0.95]))
add("softplus threshold", "F.softplus(x, beta=3, threshold=0.2)", lambda x: F.softplus(x, beta=3, threshold=0.2), x=normal(5))
add("round decimals", "x * round(x, decimals=1)", lambda x: x * torch.round(x, decimals=1), x=normal(5))
add("vander increasing", "torch.linalg.vander(x, N=4)", lambda x: torch.linalg.vander(x, N=4), x=normal(3))
add("masked_scatter", "masked_scatter(x, [[1, 0, 1], [0, 0, 1]], y)", lambda x, y: torch.masked_scatter(x, torch.tensor([[1, 0, 1], [0, 0, 1]]) != 0, y), x=normal(2, 3), y=normal(4))
add("repeat_interleave each", "repeat_interleave(x, [2, 0, 3], axis=1)", lambda x: torch.repeat_interleave(x, torch.tensor([2, 0, 3]), dim=1), x=normal(2, 3))
add("embedding of torch", "F.embedding(idx, x)", lambda x, idx: F.embedding(idx, x), x=normal(4, 3), idx=np.array([2, 0, 2]))
add("embedding_bag weighed", 'embedding_bag(idx, x, mode="sum", per_sample_weights=w)', lambda x, w, idx: (w[..., None] * x[idx]).sum(-2), x=normal(4, 3), w=normal(2, 3), idx=np.array([[2, 0, 2], [1, 3, 0]]))
add("embedding_bag padded", "embedding_bag(idx, x, padding_idx=2)", lambda x, idx: ((idx != 2)[..., None] * x[idx]).sum(-2) / (idx != 2).sum(-1, keepdim=True), x=normal(4, 3), idx=np.array([[2, 0, 1], [1, 3, 0]]))
add("embedding_bag of lengths", 'embedding_bag(idx, x, offsets=[0, 3, 3, 4], mode="sum")', lambda x, idx: torch.stack([x[idx[:3]].sum(0), 0 * x[0], x[idx[3]], x[idx[4:]].sum(0)]), x=normal(4, 3), idx=np.array([2, 0, 1, 1, 3, 3]))
add("embedding_bag of lengths, means", "embedding_bag(idx, x, offsets=[0, 2, 5], include_last_offset=true)", lambda x, idx: torch.stack([x[idx[:2]].mean(0), x[idx[2:]].mean(0)]), x=normal(4, 3), idx=np.array([2, 0, 1, 1, 3]))
add("cholesky upper", "cholesky(x, upper=true)", lambda x: torch.linalg.cholesky((x + x.mT) / 2, upper=True), x=_SPD)
add("cholesky_inverse upper", "cholesky_inverse(x, upper=true)", lambda x: torch.linalg.inv(x.mT @ x), x=_LOWER.T)
add("cholesky_solve upper", "cholesky_solve(b, x, upper=true)", lambda b, x: torch.cholesky_solve(b, torch.triu(x), upper=True), b=normal(3, 2), x=_LOWER.T)
add("i0", "torch.i0(x)", lambda x: torch.special.i0(x), x=normal(4))
add("i1", "i1(x)", lambda x: torch.special.i1(x), x=normal(4))
_GRID = array([[[[-0.3, 0.41], [0.77, -0.9], [0.13, 0.2]], [[1.3, 0.1], [-1.2, -0.63], [0.9, 0.83]]]])


def sampled(x, g, corners=False, border=False):
    """`F.grid_sample`, pixel by pixel: PyTorch's own has no second derivative."""
    sizes = x.shape[:1:-1]
    place = lambda c, n: (c + 1) / 2 * (n - 1) if corners else ((c + 1) * n - 1) / 2
    at = [place(g[..., k], n) for k, n in enumerate(sizes)]
    at = [torch.clamp(c, 0, n - 1) if border else c for c, n in zip(at, sizes)]
    weights = [torch.relu(1 - (c[..., None] - torch.arange(n)).abs()) for c, n in zip(at, sizes)]
    spec = "nchw,nijw,nijh->ncij" if x.ndim == 4 else "ncdhw,nijkw,nijkh,nijkd->ncijk"
    made = torch.einsum(spec, x, *weights)
    mode = dict(padding_mode="border" if border else "zeros", align_corners=corners)
    assert torch.allclose(made, F.grid_sample(x, g, **mode), atol=1e-13)
    return made


add("grid_sample", "F.grid_sample(x, g)", sampled, x=normal(1, 2, 4, 3), g=_GRID)
add("grid_sample corners", "F.grid_sample(x, g, align_corners=True)", lambda x, g: sampled(x, g, corners=True), x=normal(1, 2, 4, 3), g=_GRID)
add("grid_sample border", 'F.grid_sample(x, g, padding_mode="border")', lambda x, g: sampled(x, g, border=True), x=normal(1, 2, 4, 3), g=_GRID)
add("grid_sample volume", "F.grid_sample(x, g)", sampled, x=normal(1, 1, 2, 4, 3), g=array([[[[[-0.3, 0.41, 0.2], [0.77, -0.5, -0.3]]]]]))
add("scatter_reduce", 'torch.scatter_reduce(x, 1, idx, y, reduce="sum")', lambda x, y, idx: torch.scatter_reduce(x, 1, idx, y, reduce="sum"), x=normal(2, 4), y=normal(2, 3), idx=np.array([[1, 1, 3], [0, 2, 0]]))
add("scatter_reduce mean", 'torch.scatter_reduce(x, 1, idx, y, reduce="mean")', lambda x, y, idx: torch.scatter_reduce(x, 1, idx, y, reduce="mean"), x=normal(2, 4), y=normal(2, 3), idx=np.array([[1, 1, 3], [0, 2, 0]]))
add("scatter_reduce alone", 'scatter_reduce(x, 0, idx, y, "mean", include_self=false)', lambda x, y, idx: torch.scatter_reduce(x, 0, idx, y, "mean", include_self=False), x=normal(4), y=normal(3), idx=np.array([1, 1, 3]))
add("renorm", "torch.renorm(x, 2, 0, 1.5)", lambda x: torch.where(torch.linalg.norm(x, dim=1, keepdim=True) > 1.5, x * 1.5 / (torch.linalg.norm(x, dim=1, keepdim=True) + 1e-7), x), x=normal(4, 3))
add("index computed", "x[2 * idx - 1] * x[idx - idx]", lambda x, idx: x[2 * idx - 1] * x[idx - idx], x=normal(6), idx=np.array([1, 3, 2, 1]))
add("index of a comparison", "x[idx * idx] + x[where(idx == idx, 2, 3)]", lambda x, idx: x[idx * idx] + x[2], x=normal(6), idx=np.array([1, 2, 0]))
add("long", "x[long(idx / 2)]", lambda x, idx: x[(idx / 2).long()], x=normal(4), idx=np.array([1, 5, 2]))
add("order moved", "x[(argsort(x) + 1)[:3] - 1]", lambda x: x[(torch.argsort(x) + 1)[:3] - 1], x=normal(5))
add("gather a scalar", "torch.gather(x, 0, idx)", lambda x, idx: torch.gather(x, 0, idx), x=array(0.7), idx=np.array([0]))
add("solve_triangular right", "solve_triangular(x, b, upper=false, left=false)", lambda b, x: torch.linalg.solve_triangular(x, b, upper=False, left=False), b=normal(2, 3), x=_LOWER)
add("solve_triangular unit", "solve_triangular(x, b, upper=true, unitriangular=true)", lambda b, x: torch.linalg.solve(torch.triu(x, 1) + torch.eye(3, dtype=x.dtype), b), b=normal(3, 2), x=_SPD)
add("matrix_sqrth", "matrix_sqrth(x)", lambda x: (lambda w, v: v @ torch.diag(w.sqrt()) @ v.mT)(*torch.linalg.eigh((x + x.mT) / 2)), x=_SPD)
add("pinv rtol", "pinv(x, rtol=1e-3)", lambda x: torch.linalg.pinv(x, rtol=1e-3), x=normal(4, 3))
add("lstsq of torch", "torch.linalg.lstsq(x, b)[0]", lambda x, b: torch.linalg.lstsq(x, b)[0], x=normal(4, 2), b=normal(4, 3))
_OFF = torch.eye(3) == 0
add("cdist with itself", "cdist(x, x)", lambda x: torch.where(_OFF, torch.where(_OFF, ((x[:, None] - x) ** 2).sum(-1), 1.0).sqrt(), 0.0), x=normal(3, 2))
add("pdist", "pdist(x)", lambda x: torch.stack([torch.linalg.norm(x[i] - x[j]) for i in range(4) for j in range(i + 1, 4)]), x=normal(4, 3))
add("pairwise_distance kept", "pairwise_distance(x, y, keepdim=true)", lambda x, y: F.pairwise_distance(x, y, keepdim=True), x=normal(3, 4), y=normal(3, 4))
add("layer_norm over two", "F.layer_norm(x, [3, 4], w, b, eps=0.1)", lambda x, w, b: F.layer_norm(x, (3, 4), w, b, eps=0.1), x=normal(2, 3, 4), w=normal(3, 4), b=normal(3, 4))
add("conv1d alone", "conv1d(x, w, b, padding=1)", lambda x, w, b: F.conv1d(x, w, b, padding=1), x=normal(2, 5), w=normal(3, 2, 2), b=normal(3))
add("max_pool1d with places", "sum(max_pool1d(x, 2, return_indices=true)[1]) * max_pool1d(x, 2, return_indices=true)[0]", lambda x: (lambda v, i: i.sum() * v)(*F.max_pool1d(x, 2, return_indices=True)), x=normal(1, 2, 6))
add("max_pool2d with places", "max_pool2d(x, 2, stride=1, padding=1, return_indices=true)[1] * max_pool2d(x, 2, stride=1, padding=1)", lambda x: (lambda v, i: i * v)(*F.max_pool2d(x, 2, stride=1, padding=1, return_indices=True)), x=normal(1, 2, 3, 4))
add("adaptive_max_pool2d with places", "adaptive_max_pool2d(x, [2, none], true)[1] * adaptive_max_pool2d(x, [2, none])", lambda x: (lambda v, i: i * v)(*F.adaptive_max_pool2d(x, (2, None), return_indices=True)), x=normal(1, 2, 5, 3))
add("avg_pool2d divided", "avg_pool2d(x, 2, divisor_override=3)", lambda x: F.avg_pool2d(x, 2, divisor_override=3), x=normal(1, 2, 4, 4))
add("interpolate rescaled", 'F.interpolate(x, scale_factor=1.7, mode="linear", recompute_scale_factor=true)', lambda x: F.interpolate(x, scale_factor=1.7, mode="linear", recompute_scale_factor=True), x=normal(1, 2, 4))
add("poisson_nll full", "poisson_nll_loss(x, y, full=true)", lambda x, y: F.poisson_nll_loss(x, y, full=True), x=normal(4), y=array([0.5, 1.5, 3.0, 2.0]))
add("gaussian_nll full", "gaussian_nll_loss(x, y, z, full=true)", lambda x, y, z: F.gaussian_nll_loss(x, y, z, full=True), x=normal(4), y=normal(4), z=positive(4))
add("multilabel_soft_margin weighed", "multilabel_soft_margin_loss(x, y, weight=w)", lambda x, y, w: F.multilabel_soft_margin_loss(x, y, weight=w), x=normal(2, 3), y=array([[1, 0, 0], [0, 1, 1]]), w=positive(3))
add("multi_margin", "multi_margin_loss(x, idx)", lambda x, idx: torch.relu(1 + x - x[torch.arange(4), idx][:, None]).masked_fill(F.one_hot(idx, 3) == 1, 0).sum(1).div(3).mean(), x=normal(4, 3), idx=_CLASSES)
add("multi_margin squared", "multi_margin_loss(x, idx, p=2, margin=0.5, weight=w)", lambda x, w, idx: (w[idx] * (torch.relu(0.5 + x - x[torch.arange(4), idx][:, None]) ** 2).masked_fill(F.one_hot(idx, 3) == 1, 0).sum(1).div(3)).mean(), x=normal(4, 3), w=positive(3), idx=_CLASSES)
add("linear_cross_entropy", "linear_cross_entropy(x, w, idx)", lambda x, w, idx: F.cross_entropy(x @ w.mT, idx), x=normal(4, 2), w=normal(3, 2), idx=_CLASSES)

# --- norms of matrices: of sums, and of singular values ----------------------------------------------

for order in ("1", "-1", "inf", "-inf", "2", "-2"):
    f = lambda x, order=float(order): torch.linalg.matrix_norm(x, order)
    add(f"matrix_norm {order}", f"matrix_norm(x, {order})", f, x=normal(2, 3, 4))
f = lambda x: torch.linalg.matrix_norm(x, 2, (2, 0), keepdim=True)
add("matrix_norm of other axes", "matrix_norm(x, 2, axis=[2, 0], keepdims=true)", f, x=normal(2, 4, 3))
f = lambda x: torch.linalg.matrix_norm(x, 1, (2, 0), keepdim=True)
add("matrix_norm of sums of other axes", "matrix_norm(x, 1, axis=[2, 0], keepdims=true)", f, x=normal(2, 4, 3))

# --- as PyTorch is called, and its choices -----------------------------------------------------------

_LN2 = 0.6931471805599453
_TIED = array([[1, 2, 2, 0, 2], [3, 1, 3, 3, -1]])
add("flip of torch", "torch.flip(x, [0, 2])", lambda x: torch.flip(x, [0, 2]), x=normal(2, 3, 2))
add("flip of all", "flip(x)", lambda x: torch.flip(x, [0, 1]), x=normal(2, 3))
add("roll of torch", "torch.roll(x, (1, -2), dims=(0, 1))", lambda x: torch.roll(x, (1, -2), dims=(0, 1)), x=normal(2, 5))
add("roll of a row", "torch.roll(x, 2)", lambda x: torch.roll(x, 2), x=normal(2, 3))
add("cummax of ties", "cummax(x, axis=1)", lambda x: torch.cummax(x, 1).values, kink=True, x=_TIED)
add("cummin of ties", "cummin(x, axis=1)", lambda x: torch.cummin(x, 1).values, kink=True, x=_TIED)
# PyTorch's own has NaN for the second derivative there.
add("logaddexp2 far apart", "logaddexp2(x, y)", lambda x, y: x + F.softplus((y - x) * _LN2, threshold=700) / _LN2, x=array([0.5, -1100, 3]), y=array([1100, 0.25, -1000]))
add("cross_entropy of torch", "F.cross_entropy(x, idx)", lambda x, idx: F.cross_entropy(x, idx), x=normal(2, 3, 4), idx=np.array([[0, 2, 1, 1], [2, 2, 0, 1]]))
add("nll_loss of torch", 'F.nll_loss(x, idx, reduction="sum")', lambda x, idx: F.nll_loss(x, idx, reduction="sum"), x=normal(2, 3, 4), idx=np.array([[0, 2, 1, 1], [2, 2, 0, 1]]))
add("attention of torch's mask", "F.scaled_dot_product_attention(q, k, v, attn_mask=idx)", lambda q, k, v, idx: F.scaled_dot_product_attention(q, k, v, attn_mask=idx.bool()), q=normal(2, 4), k=normal(3, 4), v=normal(3, 2), idx=np.array([[1, 0, 1], [0, 1, 1]]))
add("affine_grid", "F.affine_grid(x, [2, 1, 3, 4])", lambda x: F.affine_grid(x, [2, 1, 3, 4], align_corners=False), x=normal(2, 2, 3))
add("affine_grid corners", "F.affine_grid(x, (1, 1, 3, 1), align_corners=True)", lambda x: F.affine_grid(x, [1, 1, 3, 1], align_corners=True), x=normal(1, 2, 3))
add("affine_grid volume", "F.affine_grid(x, [1, 1, 2, 3, 2])", lambda x: F.affine_grid(x, [1, 1, 2, 3, 2], align_corners=False), x=normal(1, 3, 4))
add("grid_sample affine", "F.grid_sample(x, F.affine_grid(y, [1, 2, 4, 3]))", lambda x, y: sampled(x, F.affine_grid(y, [1, 2, 4, 3], align_corners=False)), x=normal(1, 2, 4, 3), y=normal(1, 2, 3))


def weighed(x, idx, w):
    """`F.cross_entropy`, row by row: PyTorch's own does not differentiate by the weights."""
    missing, counts = -torch.log_softmax(x, -1), (idx != 3).to(x.dtype)
    own, spread = missing[torch.arange(len(idx)), idx] * w[idx], (missing * w).mean(-1)
    made = ((0.8 * own + 0.2 * spread) * counts).sum() / (w[idx] * counts).sum()
    assert torch.allclose(made, F.cross_entropy(x, idx, w.detach(), ignore_index=3, label_smoothing=0.2), atol=1e-13)
    return made


add("cross_entropy rows", "cross_entropy(x, idx, weight=w, ignore_index=3, label_smoothing=0.2)", weighed, x=normal(5, 4), w=array([0.5, 2.0, 1.5, 0.7]), idx=np.array([1, 3, 0, 2, 1]))

# --- what people paste: keywords, ellipses, pairs by name, layers ------------------------------------


def interpolated(x, xp, fp):
    """`np.interp` in PyTorch."""
    at = (torch.searchsorted(xp.detach(), x.detach(), right=True) - 1).clamp(0, len(xp) - 2)
    c = torch.minimum(torch.maximum(x, xp[0]), xp[-1])
    return fp[at] + (c - xp[at]) / (xp[at + 1] - xp[at]) * (fp[at + 1] - fp[at])


def sampled_around(x, g, mode, padding, corners):
    """`F.grid_sample` by the weights along each axis: PyTorch's own has no second derivative."""

    def inside(c, n):
        if padding == "zeros":
            return c
        if padding == "reflection":
            low, span = (0, n - 1) if corners else (-0.5, n)
            turns = torch.floor((c - low).abs() / span)
            rest = (c - low).abs() - turns * span
            c = low + torch.where(turns % 2 == 0, rest, span - rest)
        return c.clamp(0, n - 1)

    def weights(c, n):
        k = torch.arange(n)
        c = (c + 1) / 2 * (n - 1) if corners else ((c + 1) * n - 1) / 2
        if mode == "bilinear":
            return torch.relu(1 - (inside(c, n)[..., None] - k).abs())
        if mode == "nearest":
            return (torch.round(inside(c, n))[..., None] == k).to(x.dtype)
        first = torch.floor(c)
        t = c - first
        near = lambda t: (1.25 * t - 2.25) * t**2 + 1
        far = lambda t: ((-0.75 * t + 3.75) * t - 6) * t + 3
        taps = [(first - 1, far(t + 1)), (first, near(t)), (first + 1, near(1 - t)), (first + 2, far(2 - t))]
        return sum(w[..., None] * (inside(at, n)[..., None] == k) for at, w in taps)

    made = torch.einsum("nchw,nijw,nijh->ncij", x, weights(g[..., 0], x.shape[3]), weights(g[..., 1], x.shape[2]))
    own = F.grid_sample(x.detach(), g.detach(), mode, padding, corners)
    assert torch.allclose(made.detach(), own, atol=1e-13)
    return made


def chosen(x, axis, idx, y, mode, include_self):
    """`torch.scatter_reduce` of a matrix, place by place: PyTorch's own has no forward mode."""
    rows = []
    for at in np.ndindex(*x.shape):
        beside = at[1 - axis]
        into = [k for k in range(idx.shape[axis]) if beside < idx.shape[1 - axis] and (idx[k, beside] if axis == 0 else idx[beside, k]) == at[axis]]
        own = [x[at]] if include_self or not into else []
        given = torch.stack(own + [y[k, beside] if axis == 0 else y[beside, k] for k in into])
        rows.append({"sum": given.sum, "mean": given.mean, "amax": given.amax, "amin": given.amin, "prod": given.prod}[mode]())
    made = torch.stack(rows).reshape(x.shape)
    own = torch.scatter_reduce(x.detach(), axis, idx, y.detach(), mode, include_self=include_self)
    assert torch.allclose(made.detach(), own, atol=1e-13)
    return made


def margins(x, idx, reduction):
    """`F.multilabel_margin_loss`, pair by pair: PyTorch's own has no second derivative."""
    losses = []
    for row, labels in zip(torch.atleast_2d(x), torch.atleast_2d(idx)):
        own = [k for k in labels.tolist()]
        own = own[: own.index(-1)] if -1 in own else own
        others = [k for k in range(len(row)) if k not in own]
        losses.append(sum(torch.relu(1 - row[j] + row[i]) for j in own for i in others) / len(row) + 0 * row[0])
    made = torch.stack(losses).mean() if reduction == "mean" else torch.stack(losses).sum()
    assert torch.allclose(made.detach(), F.multilabel_margin_loss(x.detach(), idx, reduction=reduction), atol=1e-13)
    return made


_IX = np.array([[0, 1, 1, 3], [2, 2, 2, 0], [1, 0, 3, 3]])
add("einsum ellipsis", 'torch.einsum("...ij,...jk->...ik", x, y)', lambda x, y: torch.einsum("...ij,...jk->...ik", x, y), x=normal(2, 3, 4), y=normal(4, 2))
add("einsum ellipsis-implicit", 'torch.einsum("...ij,...jk", x, y)', lambda x, y: torch.einsum("...ij,...jk", x, y), x=normal(1, 2, 3), y=normal(2, 3, 2))
add("einsum ellipsis-behind", 'einsum("i...,i...->...", x, y)', lambda x, y: torch.einsum("i...,i...->...", x, y), x=normal(3, 4), y=normal(3, 4))
add("einsum broadcast", 'einsum("ij,ij->i", x, y)', lambda x, y: torch.einsum("ij,ij->i", x, y), x=normal(1, 4), y=normal(3, 4))
add("F.unfold", "F.unfold(x, 3)", lambda x: F.unfold(x, 3), x=normal(1, 2, 4, 5))
add("F.unfold keywords", "F.unfold(x, kernel_size=(2, 3), padding=1, stride=2)", lambda x: F.unfold(x, (2, 3), padding=1, stride=2), x=normal(1, 2, 4, 5))
add("F.embedding", "F.embedding(idx, w)", lambda idx, w: F.embedding(idx, w), idx=np.array([[0, 2, 1], [2, 0, 0]]), w=normal(4, 2))
for mode in ("sum", "mean", "amax", "amin", "prod"):
    f = lambda x, y, idx, mode=mode: chosen(x, 1, idx, y, mode, True)
    add(f"scatter_reduce of torch {mode}", f'x.scatter_reduce(1, idx, y, reduce="{mode}")', f, x=normal(3, 4), y=normal(3, 4), idx=_IX)
    f = lambda x, y, idx, mode=mode: chosen(x, 0, idx, y, mode, False)
    add(f"scatter_reduce alone {mode}", f'torch.scatter_reduce(x, dim=0, index=idx, src=y, reduce="{mode}", include_self=False)', f, x=normal(4, 4), y=normal(3, 4), idx=_IX)
add("scatter_reduce ties", 'scatter_reduce(x, 0, idx, y, "amax")', lambda x, y, idx: torch.scatter_reduce(x, 0, idx, y, "amax"), kink=True, x=array([2, 1, 5]), y=array([2, 2, 1, 3]), idx=np.array([0, 0, 1, 2]))
add("max values", "x.max(dim=1).values", lambda x: x.max(dim=1).values, x=normal(3, 4))
add("max values of two", "x.max(dim=1, keepdim=True)[0]", lambda x: x.max(dim=1, keepdim=True)[0], x=normal(3, 4))
add("min values", "torch.min(x, dim=0).values", lambda x: torch.min(x, dim=0).values, x=normal(3, 4))
add("median values", "x.median(dim=1).values", lambda x: x.median(dim=1).values, x=normal(3, 4))
add("cummax values", "x.cummax(dim=1).values", lambda x: x.cummax(dim=1).values, x=normal(3, 4))
add("eigenvalues", "torch.linalg.eigh(x @ x.T).eigenvalues", lambda x: torch.linalg.eigh(x @ x.T).eigenvalues, x=normal(3, 3))
add("singular values", "torch.linalg.svd(x).S", lambda x: torch.linalg.svdvals(x), x=normal(2, 3))
add("where method", "x.where(x > 0, y)", lambda x, y: x.where(x > 0, y), x=normal(3, 4), y=normal(3, 4))
add("gather keywords", "torch.gather(x, dim=1, index=idx)", lambda x, idx: x.gather(1, idx), x=normal(3, 4), idx=_IX)
add("lp_pool1d", "F.lp_pool1d(x, 3, 2, ceil_mode=True)", lambda x: F.lp_pool1d(x, 3, 2, ceil_mode=True), x=positive(1, 2, 5))
add("lp_pool2d", "F.lp_pool2d(x, 2, (2, 3), stride=1)", lambda x: F.lp_pool2d(x, 2, (2, 3), stride=1), x=normal(1, 2, 4, 5))
add("lp_pool2d square", "F.lp_pool2d(x, norm_type=2, kernel_size=2)", lambda x: F.lp_pool2d(x, 2, 2), x=normal(1, 1, 4, 4))
add("bilinear", "F.bilinear(x, y, w, b)", lambda x, y, w, b: F.bilinear(x, y, w, b), x=normal(3, 2), y=normal(3, 4), w=normal(5, 2, 4), b=normal(5))
add("index_fill", "x.index_fill(1, idx, 0.5)", lambda x, idx: x.index_fill(1, idx, 0.5), x=normal(3, 4), idx=np.array([3, 0]))
add("index_copy", "x.index_copy(1, idx, y)", lambda x, y, idx: x.index_copy(1, idx, y), x=normal(3, 4), y=normal(3, 2), idx=np.array([3, 0]))
add("select_scatter", "torch.select_scatter(x, y, 1, -2)", lambda x, y: torch.select_scatter(x, y, 1, -2), x=normal(3, 4), y=normal(3))
add("slice_scatter", "torch.slice_scatter(x, y, 1, 1, 3)", lambda x, y: torch.slice_scatter(x, y, 1, 1, 3), x=normal(3, 4), y=normal(3, 2))
add("diagonal_scatter", "torch.diagonal_scatter(x, y, 1)", lambda x, y: torch.diagonal_scatter(x, y, 1), x=normal(3, 3), y=normal(2))
add("multilabel_margin_loss", "F.multilabel_margin_loss(x, idx)", lambda x, idx: margins(x, idx, "mean"), x=normal(3, 4), idx=np.array([[0, 2, -1, 1], [3, -1, 0, 0], [1, 2, 3, -1]]))
add("multilabel_margin_loss row", 'F.multilabel_margin_loss(x, idx, reduction="sum")', lambda x, idx: margins(x, idx, "sum"), x=normal(4), idx=np.array([3, 0, -1, 1]))
add("triplet_margin_loss swap", "F.triplet_margin_loss(x, y, z, swap=True)", lambda x, y, z: F.triplet_margin_loss(x, y, z, swap=True), x=normal(4, 3), y=normal(4, 3), z=normal(4, 3))
add("rot90", "torch.rot90(x, -1, [0, 1])", lambda x: torch.rot90(x, -1, [0, 1]), x=normal(2, 3))
add("tensor_split", "torch.tensor_split(x, 3, dim=1)[1]", lambda x: torch.tensor_split(x, 3, dim=1)[1], x=normal(2, 7))
add("tensor_split places", "torch.tensor_split(x, (1, -3), dim=1)[1]", lambda x: torch.tensor_split(x, (1, -3), dim=1)[1], x=normal(2, 7))
add("np.split", "np.split(x, [1, 3], axis=1)[2]", lambda x: torch.tensor_split(x, (1, 3), dim=1)[2], x=normal(2, 7))
add("np.repeat", "np.repeat(x, 2, axis=0)", lambda x: x.repeat_interleave(2, 0), x=normal(2, 3))
add("layer_norm sizes", "F.layer_norm(x, x.shape[1:])", lambda x: F.layer_norm(x, x.shape[1:]), x=normal(2, 2, 3))
add("rms_norm of torch", "F.rms_norm(x, (4,), w)", lambda x, w: F.rms_norm(x, (4,), w), x=normal(3, 4), w=normal(4))
add("nn layers", "nn.Softplus(beta=2)(nn.Softmax(dim=0)(x))", lambda x: F.softplus(F.softmax(x, 0), beta=2), x=normal(3, 4))
add("nn loss", "nn.CrossEntropyLoss(label_smoothing=0.1)(x, idx)", lambda x, idx: F.cross_entropy(x, idx, label_smoothing=0.1), x=normal(3, 4), idx=np.array([1, 3, 0]))
add("remainder operator", "x % 0.7 + (x // 2) * x", lambda x: x % 0.7 + torch.floor(x / 2) * x, x=normal(3, 4))
add("comparisons by name", "~x.gt(y) * x + torch.le(x, 0) * y", lambda x, y: ~x.gt(y) * x + torch.le(x, 0) * y, x=normal(3, 4), y=normal(3, 4))
add("percentile", "np.percentile(x, 30, axis=1)", lambda x: torch.quantile(x, 0.3, dim=1), x=normal(3, 4))
add("interp", "np.interp(x, y, z)", lambda x, y, z: interpolated(x, y, z), x=array([0.3, 1.4, 2.2, -0.5, 3.5]), y=array([0, 1, 1.7, 3]), z=normal(4))
add("convolve same", 'np.convolve(x, y, mode="same")', lambda x, y: F.conv1d(x[None, None], y.flip(0)[None, None], padding=1).flatten(), x=normal(5), y=normal(3))
add("gumbel_softmax", "F.gumbel_softmax(x, y, tau=0.5)", lambda x, y: F.softmax((x + y) / 0.5, -1), x=normal(3, 4), y=normal(3, 4))
add("cond", "torch.linalg.cond(x)", lambda x: torch.linalg.svdvals(x)[0] / torch.linalg.svdvals(x)[-1], x=normal(3, 3))
for mode in ("reflection", "border", "zeros"):
    for corners in (False, True):
        f = lambda x, y, mode=mode, corners=corners: sampled_around(x, y, "bilinear", mode, corners)
        add(f"grid_sample {mode} {'corners' if corners else 'areas'}", f'F.grid_sample(x, y, padding_mode="{mode}", align_corners={corners})', f, x=normal(1, 2, 4, 3), y=np.round(_RNG.uniform(-1.9, 1.9, (1, 2, 3, 2)), 3))
add("grid_sample nearest", 'F.grid_sample(x, y, mode="nearest")', lambda x, y: sampled_around(x, y, "nearest", "zeros", False), kink=True, x=normal(1, 2, 4, 3), y=np.round(_RNG.uniform(-1.2, 1.2, (1, 2, 3, 2)), 3))
for mode, corners in (("zeros", False), ("reflection", True), ("border", False)):
    f = lambda x, y, mode=mode, corners=corners: sampled_around(x, y, "bicubic", mode, corners)
    add(f"grid_sample bicubic {mode}", f'F.grid_sample(x, y, mode="bicubic", padding_mode="{mode}", align_corners={corners})', f, x=normal(1, 1, 4, 5), y=np.round(_RNG.uniform(-1.4, 1.4, (1, 2, 3, 2)), 3))
add("lp_pool3d", "F.lp_pool3d(x, 2, 2)", lambda x: F.lp_pool3d(x, 2, 2), x=positive(1, 1, 2, 4, 2))
add("adaptive_avg_pool3d", "F.adaptive_avg_pool3d(x, [1, 2, 1])", lambda x: F.adaptive_avg_pool3d(x, (1, 2, 1)), x=normal(1, 2, 2, 3, 2))
add("upsample", 'F.upsample(x, scale_factor=2, mode="bilinear")', lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), x=normal(1, 1, 2, 3))
add("triplet_margin_with_distance_loss", "F.triplet_margin_with_distance_loss(x, y, z, margin=2)", lambda x, y, z: F.triplet_margin_with_distance_loss(x, y, z, margin=2), x=normal(4, 3), y=normal(4, 3), z=normal(4, 3))
add("correlate", "np.correlate(x, y)", lambda x, y: F.conv1d(x[None, None], y[None, None]).flatten(), x=normal(5), y=normal(3))
add("np.sort", "np.sort(x, axis=0)", lambda x: x.sort(0).values, x=array([[0.3, -1.2], [-0.7, 2.5], [1.1, 0.4]]))
add("append", "np.append(x, y)", lambda x, y: torch.cat([x.flatten(), y.flatten()]), x=normal(2, 3), y=normal(2))
add("logspace", "torch.logspace(0, 2, steps=3) * x + np.geomspace(1, 4, 3)", lambda x: torch.logspace(0, 2, 3) * x + torch.tensor([1.0, 2, 4]), x=normal(3))
add("tri", "np.tri(3, 4, 1) * x", lambda x: torch.ones(3, 4).tril(1) * x, x=normal(3, 4))
add("isclose", "torch.isclose(x, y, atol=0.5) * x", lambda x, y: torch.isclose(x, y, atol=0.5) * x, x=normal(3, 4), y=normal(3, 4))
add("argmax kept", "x.argmax(dim=1, keepdim=True) * x", lambda x: x.argmax(dim=1, keepdim=True) * x, x=normal(3, 4))
add("swapdims", "x.swapdims(0, -1)", lambda x: x.swapdims(0, -1), x=normal(2, 3, 4))
add("np.add.reduce", "np.add.reduce(x) * np.multiply.reduce(x, axis=0)", lambda x: x.sum(0) * x.prod(0), x=normal(3, 4))
add("arange of steps", "np.arange(0, 1, 0.25) * x", lambda x: torch.arange(0, 1, 0.25) * x, x=normal(4))
add("variance by flags", "torch.var(x, 1, False) + torch.std(x, 1, True)", lambda x: torch.var(x, 1, unbiased=False) + torch.std(x, 1, unbiased=True), x=normal(3, 4))
add("cosine_similarity of torch", "F.cosine_similarity(x, y)", lambda x, y: F.cosine_similarity(x, y), x=normal(2, 3, 4), y=normal(2, 3, 4))
add("cov of two", "np.cov(x, y)", lambda x, y: torch.cov(torch.stack([x, y])), x=normal(5), y=normal(5))
add("cov of rows and a row", "np.cov(x, y)", lambda x, y: torch.cov(torch.cat([x, y[None]])), x=normal(2, 5), y=normal(5))
add("corrcoef of two", "np.corrcoef(x, y)", lambda x, y: torch.corrcoef(torch.stack([x, y])), x=normal(5), y=normal(5))
