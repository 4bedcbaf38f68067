"""What JAX tries the derivatives of its own operations on (`lax_autodiff_test.py`): the operations and shapes, as calls of the `.grad`
language, with what JAX gives.

Run with Python 3.11 and JAX 0.10.2 (CPU):

    python lax.py     writes lax.json beside this file, in the format of opinfo.json
"""

import json
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)
HERE = Path(__file__).parent
CASES = []


def add(name, call, f, *shapes, positive=False, unit=False, above=0.0):
    CASES.append((name, call, f, shapes, positive, unit, above))


_OF_ONE = {
    "neg": lax.neg, "floor": lax.floor, "ceil": lax.ceil, "exp": lax.exp, "exp2": lax.exp2, "expm1": lax.expm1, "sinh": lax.sinh,
    "cosh": lax.cosh, "tanh": lax.tanh, "logistic": None, "sin": lax.sin, "cos": lax.cos, "tan": lax.tan, "atan": lax.atan,
    "asinh": lax.asinh, "erf": lax.erf, "erfc": lax.erfc, "abs": lax.abs, "cbrt": lax.cbrt, "square": lax.square, "sign": lax.sign,
}
for _name, _f in _OF_ONE.items():
    if _f is not None:
        for _shape in ((), (2, 3)):
            add(f"{_name} {_shape}", f"{_name}(a)", _f, _shape)
add("logistic", "sigmoid(a)", lax.logistic, (2, 3))
add("round", "round(a)", lambda a: lax.round(a, lax.RoundingMethod.TO_NEAREST_EVEN), (2, 3))
for _name, _f in {"log": lax.log, "log1p": lax.log1p, "sqrt": lax.sqrt, "rsqrt": lax.rsqrt, "lgamma": lax.lgamma, "digamma": lax.digamma}.items():
    add(_name, f"{_name}(a)", _f, (2, 3), positive=True)
for _name, _f in {"asin": lax.asin, "acos": lax.acos, "atanh": lax.atanh, "erfinv": lax.erf_inv}.items():
    add(_name, f"{_name}(a)", _f, (2, 3), unit=True)
add("acosh", "acosh(a)", lax.acosh, (2, 3), positive=True, above=1.0)
add("integer_pow 3", "a^3", lambda a: lax.integer_pow(a, 3), (2, 3))
add("integer_pow -2", "a^(-2)", lambda a: lax.integer_pow(a, -2), (2, 3), positive=True)
add("pow", "a^b", lax.pow, (2, 3), (2, 3), positive=True)
for _name, _sign, _f in [("add", "+", lax.add), ("sub", "-", lax.sub), ("mul", "*", lax.mul), ("div", "/", lax.div)]:
    add(_name, f"a {_sign} b", _f, (2, 3), (2, 3))
add("max", "maximum(a, b)", lax.max, (2, 3), (2, 3))
add("min", "minimum(a, b)", lax.min, (2, 3), (2, 3))
add("atan2", "atan2(a, b)", lax.atan2, (2, 3), (2, 3))
add("rem", "fmod(a, b)", lax.rem, (2, 3), (2, 3))
add("nextafter-free clamp", "clamp(a, -0.5, 0.7)", lambda a: lax.clamp(-0.5, a, 0.7), (2, 3))
add("concatenate 0", "concat([a, b, c], axis=0)", lambda *xs: lax.concatenate(xs, 0), (2, 3), (4, 3), (1, 3))
add("concatenate 1", "concat([a, b], axis=1)", lambda *xs: lax.concatenate(xs, 1), (2, 3), (2, 4))
add("split", "split(a, [1, 3, 2], axis=1)[1]", lambda a: lax.split(a, [1, 3, 2], 1)[1], (2, 6))
add("conv 1d", "conv(a, b, stride=2, padding=1)", lambda a, b: lax.conv_general_dilated(a, b, (2,), [(1, 1)]), (2, 3, 7), (4, 3, 3))
add("conv valid", "conv(a, b)", lambda a, b: lax.conv(a, b, (1, 1), "VALID"), (1, 2, 5, 4), (3, 2, 2, 3))
add("conv same", 'conv(a, b, padding="same")', lambda a, b: lax.conv(a, b, (1, 1), "SAME"), (1, 2, 4, 3), (2, 2, 2, 3))
add("conv dilated", "conv(a, b, stride=[2, 1], dilation=[1, 2])", lambda a, b: lax.conv_general_dilated(a, b, (2, 1), "VALID", rhs_dilation=(1, 2)), (1, 2, 5, 6), (3, 2, 2, 3))
add("conv grouped", "conv(a, b, groups=2)", lambda a, b: lax.conv_general_dilated(a, b, (1,), "VALID", feature_group_count=2), (2, 4, 5), (6, 2, 2))
add("dot", "a @ b", lax.dot, (4, 3), (3, 5))
add("dot vectors", "a @ b", lax.dot, (3,), (3,))
add("dot_general batch", "a @ b", lambda a, b: lax.dot_general(a, b, (([2], [1]), ([0], [0]))), (2, 4, 3), (2, 3, 5))
add("dot_general last", 'einsum("bi,bj->bij", a, b)', lambda a, b: lax.dot_general(a, b, (([], []), ([0], [0]))), (2, 3), (2, 4))
add("broadcast", "broadcast_to(a, [4, 2, 3])", lambda a: lax.broadcast(a, (4,)), (2, 3))
add("broadcast_in_dim", "broadcast_to(a[:, None], [2, 3])", lambda a: lax.broadcast_in_dim(a, (2, 3), (0,)), (2,))
add("reshape", "reshape(a, [3, 4])", lambda a: lax.reshape(a, (3, 4)), (2, 6))
add("pad", "pad(a, [[1, 2], [0, 3]])", lambda a: lax.pad(a, 0.0, ((1, 2, 0), (0, 3, 0))), (2, 3))
add("pad negative", "pad(a, [[-1, 2], [1, -1]])", lambda a: lax.pad(a, 0.0, ((-1, 2, 0), (1, -1, 0))), (3, 3))
add("rev", "flip(a, axis=1)", lambda a: lax.rev(a, (1,)), (2, 3))
add("select", "where(a > 0, b, c)", lambda a, b, c: lax.select(a > 0, b, c), (2, 3), (2, 3), (2, 3))
add("slice", "a[1:4:2, 2:]", lambda a: lax.slice(a, (1, 2), (4, 5), (2, 1)), (5, 5))
add("dynamic_slice", "narrow(a, 0, 1, 2)", lambda a: lax.dynamic_slice(a, (1, 0), (2, 3)), (4, 3))
add("dynamic_update_slice", "concat([a[:1], b, a[3:]], axis=0)", lambda a, b: lax.dynamic_update_slice(a, b, (1, 0)), (4, 3), (2, 3))
add("transpose", "permute(a, [2, 0, 1])", lambda a: lax.transpose(a, (2, 0, 1)), (2, 3, 4))
add("squeeze", "squeeze(a, axis=1)", lambda a: lax.squeeze(a, (1,)), (2, 1, 3))
add("expand_dims", "unsqueeze(a, 1)", lambda a: lax.expand_dims(a, (1,)), (2, 3))
for _name, _f in {"sum": jnp.sum, "prod": jnp.prod, "max": jnp.max, "min": jnp.min, "logsumexp": jax.nn.logsumexp, "mean": jnp.mean}.items():
    for _axis in (None, 0, 1):
        _text = "" if _axis is None else f", axis={_axis}"
        add(f"reduce {_name} {_axis}", f"{_name}(a{_text})", lambda a, f=_f, k=_axis: f(a, axis=k), (3, 4))
for _name, _f in {"cumsum": lax.cumsum, "cumprod": lax.cumprod, "cummax": lax.cummax, "cummin": lax.cummin, "logcumsumexp": lax.cumlogsumexp}.items():
    for _axis in (0, 1):
        add(f"{_name} {_axis}", f"{_name}(a, axis={_axis})", lambda a, f=_f, k=_axis: f(a, axis=k), (3, 4))
add("cumsum reversed", "cumsum(a, axis=1, reverse=true)", lambda a: lax.cumsum(a, axis=1, reverse=True), (2, 4))
add("reduce_window max", "max_pool(a, [2, 2], stride=1)", lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 1, 1), "VALID"), (1, 2, 3, 4))
add("reduce_window sum", "4 * avg_pool(a, 2)", lambda a: lax.reduce_window(a, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"), (1, 2, 4, 4))
add("sort", "sort(a)[0]", lambda a: lax.sort(a), (2, 5))
add("sort first", "sort(a, axis=0)[0]", lambda a: lax.sort(a, dimension=0), (4, 3))
add("sort descending", "sort(a, descending=true)[0]", lambda a: -lax.sort(-a), (5,))
add("top_k", "topk(a, 3)[0]", lambda a: lax.top_k(a, 3)[0], (2, 5))
add("gather rows", "a[[0, 2, 2]]", lambda a: a[jnp.array([0, 2, 2])], (4, 3))
add("gather pairs", "a[[0, 2], [1, 0]]", lambda a: a[jnp.array([0, 2]), jnp.array([1, 0])], (3, 2))
add("take_along_axis", "take_along_axis(a, [[0, 2], [1, 1]], 1)", lambda a: jnp.take_along_axis(a, jnp.array([[0, 2], [1, 1]]), 1), (2, 3))
add("scatter_add", "index_add(a, 0, [0, 2, 0], b)", lambda a, b: a.at[jnp.array([0, 2, 0])].add(b), (4, 3), (3, 3))
add("scatter", "scatter(a, 0, [[1, 0], [2, 3]], b)", lambda a, b: a.at[jnp.array([[1, 0], [2, 3]]), jnp.arange(2)].set(b), (4, 2), (2, 2))
add("stop_gradient", "a * stop_gradient(a)", lambda a: a * lax.stop_gradient(a), (3,))
add("cholesky", "cholesky(a @ a.T + eye(3))", lambda a: jnp.linalg.cholesky(a @ a.T + jnp.eye(3)), (3, 3))
add("triangular_solve", "solve_triangular(a + 3 * eye(3), b, lower=true)", lambda a, b: lax.linalg.triangular_solve(jnp.tril(a + 3 * jnp.eye(3)), b, left_side=True, lower=True), (3, 3), (3, 2))
add("eigh values", "eigh(a + a.T)[0]", lambda a: jnp.linalg.eigvalsh(a + a.T), (3, 3))
add("svd values", "svdvals(a)", lambda a: jnp.linalg.svd(a, compute_uv=False), (4, 3))
add("det", "det(a)", jnp.linalg.det, (3, 3))
add("slogdet", "slogdet(a)[1]", lambda a: jnp.linalg.slogdet(a)[1], (3, 3))
add("inv", "inv(a + 3 * eye(3))", lambda a: jnp.linalg.inv(a + 3 * jnp.eye(3)), (3, 3))
add("solve", "solve(a + 3 * eye(3), b)", lambda a, b: jnp.linalg.solve(a + 3 * jnp.eye(3), b), (3, 3), (3, 2))
add("expm", "expm(a)", lambda a: jax.scipy.linalg.expm(a), (3, 3))
add("pinv", "pinv(a)", jnp.linalg.pinv, (4, 3))
add("igamma", "igamma(a, b)", lax.igamma, (3,), (3,), positive=True)
add("bessel_i0e", "i0e(a)", lax.bessel_i0e, (3,))
add("betainc", "betainc(a, b, c)", lax.betainc, (2,), (2,), (2,), unit=True, positive=True)


def plain(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "data": x.reshape(-1).tolist()}


def case(name, call, f, shapes, positive, unit, above):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = []
    for shape in shapes:
        x = np.round(rng.standard_normal(shape), 3)
        x = np.where(np.abs(x) < 0.05, 0.25, x)
        x = np.round(0.8 * np.tanh(x), 3) if unit else x
        values.append(np.abs(x) + above if positive else x)
    # Of integrals by their orders JAX has no derivative: by the last argument alone.
    first = len(values) - 1 if name in ("igamma", "betainc") else 0
    held, moved = values[:first], values[first:]
    output, pull = jax.vjp(lambda *xs: f(*held, *xs), *moved)
    cotangent = np.round(rng.standard_normal(output.shape), 3)
    names = "abc"[: len(values)]
    return {
        "name": name,
        "call": call,
        "inputs": {n: plain(v) for n, v in zip(names, values)},
        "output": plain(output),
        "cotangent": plain(cotangent),
        "vjp": {n: plain(v) for n, v in zip(names[first:], pull(jnp.asarray(cotangent)))},
    }


def main():
    cases = [case(*row) for row in CASES]
    (HERE / "lax.json").write_text("[\n" + ",\n".join(json.dumps(c, allow_nan=False) for c in cases) + "\n]\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
