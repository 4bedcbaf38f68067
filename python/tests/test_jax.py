"""JAX: functions trace, hold with JAX's own gradients, and what is wrong with a `custom_vjp` is told."""

import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed: its tests did not run")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import nn  # noqa: E402

import pullback  # noqa: E402
import pullback.jax  # noqa: E402


def normal(*shape, seed=3):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


X, Y, W, G = normal(4, 6), normal(4, 6, seed=4), normal(6, 6), normal(6)
Q = normal(2, 4, 3)
S = normal(4, 4) @ normal(4, 4).T + 4 * np.eye(4)
T = np.array([0, 1, 2, 5])


def attention(q, k, v):
    scores = jnp.where(jnp.tril(jnp.ones((4, 4), bool)), jnp.einsum("bqd,bkd->bqk", q, k) / 2, -1e9)
    return nn.softmax(scores) @ v


def recurrence(x):
    return jax.lax.scan(lambda h, u: (jnp.tanh(h + u), h), jnp.zeros(6, x.dtype), x)[1]


def counted(x):
    return jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1]) * x), (0, x))[1]


def by_value(x):
    return jax.lax.cond(x.sum() > 0, lambda x: x**2, lambda x: -x, x)


def singular_values(a):
    u, s, v = jnp.linalg.svd(a, full_matrices=False)
    return (u * s**2) @ v


FUNCTIONS = {
    "rms_norm": (lambda x, g: g * x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6), X, G),
    "layer_norm": (lambda x, g: g * (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5), X, G),
    "softmax": (lambda x: nn.softmax(x, 0), X),
    "log_softmax": (nn.log_softmax, X),
    "cross_entropy": (lambda x, t: -jnp.take_along_axis(nn.log_softmax(x), t[:, None], 1).mean(), X, T),
    "attention": (attention, Q, normal(2, 4, 3, seed=5), Q - 1),
    "swiglu": (lambda a, b: nn.silu(a) * b, X, Y),
    "gelu": (lambda a: nn.gelu(a) + nn.gelu(a, approximate=False), X),
    "rope": (lambda x, c, s: x * c + jnp.concatenate([-x[:, 3:], x[:, :3]], 1) * s, X, Y, X + Y),
    "mlp": (lambda x, w: nn.relu(x @ w) @ w.T, X, W),
    "embedding": (lambda t, w: w[t], T, W),
    "top_k": (lambda x: jax.lax.top_k(x, 2)[0], X),
    "sort": (lambda x: jnp.sort(x, axis=0)[1:], X),
    "cumsum": (lambda x: jnp.cumsum(x, 1), X),
    "logsumexp": (lambda x: nn.logsumexp(x, 1), X),
    "scan": (recurrence, X),
    "cond": (by_value, X),
    "norm": (lambda x: x / jnp.linalg.norm(x, axis=1, keepdims=True), X),
    "huber": (lambda x: jnp.where(jnp.abs(x) < 1, 0.5 * x * x, jnp.abs(x) - 0.5).mean(), X),
    "solve": (jnp.linalg.solve, S, normal(4)),
    "cholesky": (jnp.linalg.cholesky, S),
    "slogdet": (lambda a: jnp.linalg.slogdet(a)[1], S),
    "inverse": (jnp.linalg.inv, S),
    "eigenvalues": (lambda a: (lambda w, v: (w**2).sum() + (v[:, 0] ** 3).sum())(*jnp.linalg.eigh((a + a.T) / 2)), S),
    "qr": (lambda a: jnp.linalg.qr(a)[1], S),
    "singular_values": (singular_values, normal(4, 3)),
    "cumulative": (lambda x: jax.lax.cumlogsumexp(x, 1, True) + jnp.cumprod(x, 1) + jax.lax.cummax(x, 1), X),
    "pools": (
        lambda x: (
            jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (2, 2), (2, 2), "VALID")
            * jax.lax.reduce_window(x, 0.0, jax.lax.add, (2, 3), (2, 2), "SAME")[:, :3]
        ),
        X,
    ),
    "tiles": (lambda x: jnp.stack([jnp.tile(x, (1, 2)), jnp.repeat(x, 2, 1)], 1).at[0].multiply(2.0), X),
    "convolution": (lambda x, w: jax.lax.conv(x, w, (1, 1), "VALID"), normal(1, 2, 4, 4), normal(3, 2, 2, 2)),
    "updates": (lambda x: x.at[jnp.array([0, 2, 0])].add(2 * x[1]).at[3, 1:3].set(0.5), X),
    "shapes": (lambda x: jnp.pad(x, ((1, 0), (0, 2)))[::2].reshape(-1)[::-1].sum() * jnp.roll(x, 1, 0).T, X),
}


#: JAX has no factorisations in 16 bits.
SOLVERS = {"solve", "cholesky", "slogdet", "inverse", "eigenvalues", "qr", "singular_values"}


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32, jnp.bfloat16], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_hold_with_the_gradients_of_jax(name, dtype):
    if dtype == jnp.bfloat16 and name in SOLVERS:
        return
    function, *arguments = FUNCTIONS[name]
    with jax.experimental.enable_x64() if hasattr(jax.experimental, "enable_x64") else jax.enable_x64(True):
        arguments = [jnp.asarray(one, dtype if one.dtype.kind == "f" else None) for one in arguments]
        report = pullback.check(function, *arguments)
    assert report.ok, f"{report.source}\n{report}"


@jax.custom_vjp
def scaled(x, g):
    return g * jnp.tanh(x)


def _forward(x, g):
    return scaled(x, g), (x, g)


def _right(saved, dy):
    x, g = saved
    return dy * g * (1 - jnp.tanh(x) ** 2), (dy * jnp.tanh(x)).sum(0)


def _wrong(saved, dy):
    x, g = saved
    return dy * (1 - jnp.tanh(x) ** 2), -(dy * jnp.tanh(x)).sum(0)


def test_custom_vjp():
    x, g = jnp.asarray(X, jnp.float32), jnp.asarray(G, jnp.float32)
    scaled.defvjp(_forward, _right)
    assert pullback.check(scaled, x, g).ok and pullback.jax.gradcheck(scaled, (x, g))
    scaled.defvjp(_forward, _wrong)
    report = pullback.check(scaled, x, g)
    assert report.claim("x").verdict == "wrong" and report.claim("g").diagnosis.cause in (
        "missing-factor",
        "extra-factor",
    )
    with pytest.raises(pullback.WrongGradient):
        pullback.jax.gradcheck(scaled, (x, g))


def test_a_gradient_of_another_shape_is_judged_and_not_refused():
    @jax.custom_vjp
    def linear(x, w, b):
        return x @ w + b

    def back(saved, dy):
        x, w = saved
        return dy @ w.T, dy.T @ x, dy.sum(1)

    linear.defvjp(lambda x, w, b: (linear(x, w, b), (x, w)), back)
    arguments = [jnp.asarray(one, jnp.float32) for one in (normal(5, 3), normal(3, 4), normal(4))]
    report = pullback.check(linear, *arguments)
    causes = [claim.diagnosis.cause if claim.diagnosis else claim.verdict for claim in report.claims]
    assert causes == ["holds", "transposed-factor", "wrong-axis"]


def test_second_derivatives():
    @jax.custom_vjp
    def cube(x):
        return x**3

    def back(held, dy):
        return (3 * dy * jax.lax.stop_gradient(held) ** 2,)

    cube.defvjp(lambda x: (cube(x), x), back)
    x = jnp.asarray(G, jnp.float32)
    assert pullback.check(cube, x).ok and pullback.check(jnp.sin, x, order=2).ok
    assert not pullback.check(cube, x, order=2).ok


def test_names_and_places():
    def layer(x, w):
        hidden = jnp.tanh(x @ w)
        return (hidden**2).sum()

    traced = pullback.trace(layer, jnp.asarray(X), jnp.asarray(W))
    assert "hidden = tanh(x @ w)" in str(traced) and "# test_jax.py:" in str(traced)


def test_loops_are_as_many_steps_as_they_have():
    traced = pullback.trace(counted, jnp.asarray(G))
    assert str(traced).count("sin(") == 3
    assert np.allclose(np.asarray(counted(jnp.asarray(G))), np.asarray(_evaluated(traced, x=G)), atol=1e-5)


def _evaluated(traced, **arrays):
    """The last definition of a program on these numbers, which are written down in the place of what is drawn."""
    text = traced.text(places=False)
    for name, array in arrays.items():
        line = next(line for line in text.split("\n") if line.startswith(f"{name}: "))
        text = text.replace(line, f"{name} = {array.tolist()}")
    return pullback.run(text)[traced.outputs[0]]


def test_trees_of_arguments():
    parameters = {"w": jnp.asarray(W), "b": jnp.asarray(G)}
    report = pullback.check(lambda p, x: nn.relu(x @ p["w"] + p["b"]), parameters, jnp.asarray(X))
    assert report.ok and {claim.claim for claim in report.claims} == {"dL/dp_b", "dL/dp_w", "dL/dx"}


def test_an_operation_that_is_not_known_is_named():
    with pytest.raises(pullback.PullbackError, match="`fft`"):
        pullback.check(lambda x: jnp.abs(jnp.fft.fft(x)), jnp.asarray(G))


def test_audit_says_where_a_path_is_cut():
    @jax.custom_vjp
    def silent(x):
        return x * 2

    silent.defvjp(lambda x: (x * 2, None), lambda saved, dy: (jnp.zeros_like(dy),))

    def net(parameters, x):
        p = parameters
        h = jax.lax.stop_gradient(x @ p["stopped"])
        i = jnp.argmax(x @ p["chosen"])
        r = jnp.round(x @ p["rounded"])
        h = jax.lax.scan(lambda h, _: (jnp.tanh(h * p["looped"] + x), None), h, None, 3)[0]
        h = jax.lax.fori_loop(0, 2, lambda t, h: h + p["twice"], h)
        h = jax.lax.cond(h.sum() > 0, lambda h: h * p["branch"], lambda h: h, h)
        return (h @ p["used"] + p["table"][i] + silent(p["silent"]) + r).sum() + 0 * p["zero"].sum()

    names = ("stopped", "chosen", "rounded", "used", "unused")
    parameters = {name: jnp.ones((3, 3)) for name in names}
    parameters |= {name: jnp.ones(3) for name in ("looped", "twice", "branch", "silent", "zero")}
    parameters["table"] = jnp.ones((4, 3))
    found = pullback.jax.audit(net, parameters, jnp.ones(3))
    by = {one.name: [cut.by for cut in one.cuts] for one in found.parameters if not one.reached}
    assert by == {
        "parameters_chosen": ["integer"],
        "parameters_rounded": ["constant"],
        "parameters_silent": ["zeros"],
        "parameters_stopped": ["stop_gradient"],
        "parameters_unused": [],
    }
    assert found["parameters_zero"].is_zero and not found.ok
    cut = found["parameters_stopped"].cuts[0]
    assert cut.place.file == __file__ and "`stop_gradient`" in str(found)
    # What JAX gives is zero where no way leads back, and nowhere else.
    gradients = jax.grad(net)(parameters, jnp.ones(3))
    for name, gradient in gradients.items():
        assert bool((gradient == 0).all()) == (f"parameters_{name}" in by or name == "zero"), name


def test_a_reference_with_fewer_outputs_is_none():
    with pytest.raises(pullback.PullbackError, match="2 arrays, and the reference 1"):
        pullback.check(lambda x: (x * 2, x * 3), jnp.ones(3), reference=lambda x: x * 2)
