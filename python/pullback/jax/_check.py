"""Functions of JAX: traced, and their gradients judged."""

from __future__ import annotations

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np

from .._judging import judge, loss_name
from .._program import COMPARED, Expression
from .._pullback import PullbackError
from .._report import Report
from .._traced import Traced
from ._tracing import Tracer, is_float, plain


def trace(fn, *args, **kwargs) -> Traced:
    """The program that a function is on these arguments.

    >>> import jax.numpy as jnp
    >>> def f(x, w):
    ...     h = jnp.tanh(x @ w)
    ...     return (h**2).sum()
    >>> print(trace(f, jnp.ones((2, 3)), jnp.ones((3, 2))).text(places=False))
    dtype f32
    x: [2, 3] ~ uniform(1, 1.5)
    w: [3, 2] ~ uniform(1, 1.5)
    h = tanh(x @ w)
    y = sum(h^2)
    """
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    names = _names(fn, args, kwargs)

    def flat(*arrays):
        inside = iter(arrays)
        again = [next(inside) if _is_array(leaf) else leaf for leaf in leaves]
        more, keywords = jax.tree_util.tree_unflatten(tree, again)
        return fn(*more, **keywords)

    arrays = [jnp.asarray(leaf) for leaf in leaves if _is_array(leaf)]
    names = [name for name, leaf in zip(names, leaves) if _is_array(leaf)]
    closed = jax.make_jaxpr(flat)(*arrays)
    tracer = Tracer()
    tracer.program.dtype = "f64" if any(array.dtype == jnp.float64 for array in arrays) else "f32"
    arguments = [tracer.argument(name, array, True) for name, array in zip(names, arrays)]
    with jax.ensure_compile_time_eval():
        outputs = tracer.run(closed.jaxpr, closed.consts, arguments)
    tracer.finish()
    program, found = tracer.program, []
    for output in outputs:
        if not is_float(np.asarray(output.numbers)):
            found.append(None)
            continue
        value = tracer.full(output)
        if isinstance(value, Expression) or value.kind == "input" or value in program.outputs:
            expression = value if isinstance(value, Expression) else Expression([(value, COMPARED)])
            value = program.value(expression, output.shape)
        value.hint = value.hint or "y"
        program.output(value)
        found.append(value)
    if not program.outputs:
        raise PullbackError("error: the function returns no floats: there is nothing to differentiate")
    text = program.text()
    inputs = [value for value in program.values if value.kind == "input"][: len(arrays)]
    return Traced(
        program,
        text,
        name=_name_of(fn),
        outputs=[value.name if value is not None else None for value in found],
        arguments=[(value.name, array, is_float(np.asarray(array))) for value, array in zip(inputs, arrays)],
        captured=[(value.name, array) for value, array in tracer.captured if value.name is not None],
        by_value=tracer.by_value + program.held(),
    )


def check(
    fn, *args, reference=None, cotangents=None, order: int = 1, precision: str | None = None, seed: int = 0, **kwargs
) -> Report:
    """Judges the gradients of a function on these arguments: what ``jax.vjp`` makes of it, ``custom_vjp`` included.

    ``reference`` is a plain function that computes the same; by default what ``fn`` itself computes. ``cotangents``: one for each
    output, by default random ones of ``seed``. ``order=2`` judges what the backward pass is differentiated to.

    >>> import jax, jax.numpy as jnp
    >>> check(jax.nn.softmax, jnp.array([[1.0, 2.0, -1.0]])).ok
    True
    """
    if order not in (1, 2):
        raise ValueError(f"order={order}: 1 and 2 are understood")
    if order == 2:
        plain_fn = reference if reference is not None else _without_rules(fn)
        outputs, _ = jax.vjp(lambda *a: fn(*a, **kwargs), *args)
        given = _cotangents(jax.tree_util.tree_leaves(outputs), cotangents, seed)
        given = [one for one in given if one is not None]
        backward, truth = (_backward(one, len(args), kwargs) for one in (fn, plain_fn))
        backward.__name__ = truth.__name__ = f"backward of {_name_of(fn)}"
        return check(backward, *args, *given, reference=truth, precision=precision, seed=seed)
    traced = trace(reference if reference is not None else fn, *args, **kwargs)
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    at_arrays = [at for at, leaf in enumerate(leaves) if _is_array(leaf)]
    wrt = [at for at, (_, _, is_one) in zip(at_arrays, traced.arguments) if is_one]

    def run(arrays, dys):
        """Outputs, and the gradients by all floats, of the function on these arrays."""
        inside = list(leaves)
        for at, array in zip(at_arrays, arrays):
            inside[at] = array

        def of(*floats):
            own = list(inside)
            for at, array in zip(wrt, floats):
                own[at] = array
            more, keywords = jax.tree_util.tree_unflatten(tree, own)
            return jax.tree_util.tree_leaves(fn(*more, **keywords))

        outputs, pull = jax.vjp(of, *[inside[at] for at in wrt])
        dys = dys(outputs) if callable(dys) else dys
        full = [
            (jnp.zeros_like(output) if dy is None else jnp.asarray(dy, output.dtype))
            if jnp.issubdtype(output.dtype, jnp.floating)
            else np.zeros(output.shape, jax.dtypes.float0)
            for output, dy in zip(outputs, dys)
        ]
        try:
            return outputs, dys, pull(full)
        except (TypeError, ValueError):
            # JAX refuses a gradient of another shape; what is wrong with it is for Pullback to say.
            found = _raw(fn, leaves, tree, inside, full)
            if found is None:
                raise
            return outputs, dys, [found[at] for at in wrt]

    arrays = [jnp.asarray(leaves[at]) for at in at_arrays]
    outputs, dys, gradients = run(arrays, lambda outputs: _cotangents(outputs, cotangents, seed))
    if len(outputs) < len(traced.outputs):
        raise PullbackError(
            f"error: the reference returns {len(traced.outputs)} arrays, and the function {len(outputs)}"
        )
    if any(is_float(np.asarray(one)) for one in outputs[len(traced.outputs) :]):
        raise PullbackError(
            f"error: the function returns {len(outputs)} arrays, and the reference {len(traced.outputs)}: "
            "the gradients through the others would not be judged"
        )
    loss = loss_name(traced)
    used = [
        (name, output, dy)
        for name, output, dy in zip(traced.outputs, outputs, dys)
        if name is not None and dy is not None
    ]
    if not used:
        raise PullbackError("error: no output is used: there is nothing to judge")
    names = [name for name, _, is_one in traced.arguments if is_one]
    data = [_entry(name, array) for name, array, _ in traced.arguments]
    data += [(name, array, None) for name, array in traced.captured]
    data += [_entry(f"d{loss}/d{name}", dy) for name, _, dy in used]
    data += [_entry(name, output) for name, output, _ in used]
    data += [_entry(f"d{loss}/d{name}", gradient) for name, gradient in zip(names, gradients)]

    remarks = []
    again = run(arrays, dys)[2]
    for name, one, other in zip(names, gradients, again):
        if not np.array_equal(plain(np.asarray(one)), plain(np.asarray(other)), equal_nan=True):
            spread = np.abs(plain(np.asarray(one)).astype(float) - plain(np.asarray(other))).max()
            remarks.append(f"the function is not deterministic: in two runs d/d{name} differs by up to {spread:.2g}")

    def asked(numbers):
        """The gradients on other numbers; what has 16 bits is asked in 32."""
        others = [
            jnp.asarray(numbers[name], jnp.float32 if array.dtype.itemsize == 2 and is_one else array.dtype)
            for name, array, is_one in traced.arguments
        ]
        given = [numbers.get(f"d{loss}/d{name}") if name is not None else None for name in traced.outputs]
        _, _, found = run(others, [*given, *[None] * (len(outputs) - len(given))])
        return [(f"d{loss}/d{name}", np.asarray(gradient)) for name, gradient in zip(names, found)]

    shapes = [(name, dy.shape) for name, _, dy in used]
    return judge(traced, _name_of(fn), shapes, data, asked, precision, remarks)


def _raw(fn, leaves, tree, inside, cotangents):
    """What the backward pass of a `custom_vjp` returns for each leaf of its arguments, whatever its shape."""
    if not isinstance(fn, jax.custom_vjp) or getattr(fn, "nondiff_argnums", ()):
        return None
    args, keywords = jax.tree_util.tree_unflatten(tree, inside)
    if keywords:
        return None
    out, saved = fn.fwd(*args)
    returned = fn.bwd(saved, jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(out), cotangents))
    returned = returned if isinstance(returned, tuple) else (returned,)
    if len(returned) != len(args):
        return None
    found = []
    for arg, gradient in zip(args, returned):
        own = jax.tree_util.tree_leaves(arg)
        parts = jax.tree_util.tree_leaves(gradient)
        found += [jnp.zeros_like(one) for one in own] if gradient is None else parts
    return found if len(found) == len(leaves) else None


def gradcheck(fn, args, **how) -> bool:
    """Whether the gradients of a function hold; where one does not, the error is the diagnosis.

    >>> import jax.numpy as jnp
    >>> gradcheck(jnp.sin, (jnp.array([0.1, 0.2]),))
    True
    """
    args = args if isinstance(args, (tuple, list)) else (args,)
    check(fn, *args, **how).raise_if_wrong()
    return True


def _backward(fn, count, kwargs):
    def backward(*all_args):
        args, dys = all_args[:count], all_args[count:]
        floats = [at for at, arg in enumerate(args) if jnp.issubdtype(jnp.asarray(arg).dtype, jnp.floating)]

        def of(*values):
            inside = list(args)
            for at, value in zip(floats, values):
                inside[at] = value
            return [
                one
                for one in jax.tree_util.tree_leaves(fn(*inside, **kwargs))
                if jnp.issubdtype(one.dtype, jnp.floating)
            ]

        return tuple(jax.vjp(of, *[args[at] for at in floats])[1](list(dys)))

    return backward


def _without_rules(fn):
    """The function without the rules that it was given for its derivatives: JAX differentiates what it computes."""
    from jax.extend.core import Literal

    def run(jaxpr, consts, args):
        known = dict(zip(jaxpr.constvars, consts)) | dict(zip(jaxpr.invars, args))
        read = lambda atom: atom.val if isinstance(atom, Literal) else known[atom]  # noqa: E731
        for equation in jaxpr.eqns:
            operands, params = [read(atom) for atom in equation.invars], equation.params
            if equation.primitive.name.startswith("custom_vjp_call"):
                closed = params.get("call_jaxpr") or params["fun_jaxpr"]
                results = run(closed.jaxpr, closed.consts, operands)
            elif equation.primitive.name in ("jit", "pjit"):
                results = run(params["jaxpr"].jaxpr, params["jaxpr"].consts, operands)
            else:
                results = equation.primitive.bind(*operands, **params)
                results = results if equation.primitive.multiple_results else [results]
            known.update(zip(equation.outvars, results))
        return [read(atom) for atom in jaxpr.outvars]

    def plain_fn(*args, **kwargs):
        closed, shape = jax.make_jaxpr(lambda *a: fn(*a, **kwargs), return_shape=True)(*args)
        results = run(closed.jaxpr, closed.consts, jax.tree_util.tree_leaves(args))
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), results)

    return plain_fn


def _cotangents(outputs, given, seed):
    floats = [jnp.issubdtype(output.dtype, jnp.floating) for output in outputs]
    if given is not None:
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(given) != len(outputs):
            raise PullbackError(f"error: {len(given)} cotangents are given, and there are {len(outputs)} outputs")
        for output, dy in zip(outputs, given):
            if dy is not None and np.shape(dy) != output.shape:
                raise PullbackError(
                    f"error: a cotangent has the shape {list(np.shape(dy))}, and its output {list(output.shape)}"
                )
        return [None if dy is None else jnp.asarray(dy, output.dtype) for output, dy in zip(outputs, given)]
    generator = np.random.default_rng([seed, 0x5DEECE66])
    return [
        jnp.asarray(generator.standard_normal(output.shape), output.dtype) if one else None
        for output, one in zip(outputs, floats)
    ]


def _entry(name: str, array):
    """An array as Pullback takes it."""
    return name, np.asarray(array), None


def _is_array(leaf) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray))


def _names(fn, args, kwargs) -> list[str]:
    """A name for each leaf of the arguments."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind == p.VAR_POSITIONAL), "x")
    names = []
    for at, arg in enumerate(args):
        name = positional[at] if at < len(positional) else f"{rest}{at - len(positional)}"
        names += [name + _path(path) for path, _ in jax.tree_util.tree_flatten_with_path(arg)[0]]
    for key, arg in sorted(kwargs.items()):
        names += [key + _path(path) for path, _ in jax.tree_util.tree_flatten_with_path(arg)[0]]
    return names


def _name_of(fn) -> str:
    name = getattr(fn, "__name__", "function")
    return "function" if name == "<lambda>" else name


def _path(path) -> str:
    return "".join("_" + re.sub(r"\W+", "_", str(key)).strip("_") for key in path)
