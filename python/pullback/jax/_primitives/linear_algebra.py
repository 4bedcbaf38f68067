"""Solutions and decompositions of matrices."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..._program import call, infix, positions, transposed, unknown_operation
from .._tracing import Array
from .rules import TABLE, goes_inside, rule

TABLE["cholesky"] = lambda t, r, p, x: call("cholesky", t.full(x))
TABLE["lu"] = lambda t, r, p, x: [t.held(one, "lu") for one in r]
TABLE["lu_pivots_to_permutation"] = lambda t, r, p, x: t.held(r[0], "permutation")


@rule("eigh")
def _eigh(t, results, params, x):
    numbers = np.asarray(x.numbers)
    if not np.allclose(numbers, np.swapaxes(numbers, -1, -2)) or params.get("subset_by_index") is not None:
        # JAX reads one triangle, and the language both.
        raise NotImplementedError
    values, vectors = t.program.several(call("eigh", t.full(x)), [np.shape(results[1]), np.shape(results[0])], t.place)
    # The vectors of the language have a positive largest component, and JAX's the signs that they have on these numbers.
    found = np.asarray(results[0])
    largest = np.take_along_axis(found, np.abs(found).argmax(-2)[..., None, :], -2)
    t.by_value.append("eigh")
    return [infix(vectors, "*", positions(np.sign(largest).astype(int))), values]


@rule("svd")
def _svd(t, results, params, x):
    if not params.get("compute_uv"):
        return call("svdvals", t.full(x))
    found = np.asarray(results[1])
    if (params.get("full_matrices") and x.shape[-2] != x.shape[-1]) or params.get("subset_by_index") is not None:
        raise NotImplementedError
    right = (*np.shape(results[2])[:-2], np.shape(results[2])[-1], np.shape(results[2])[-2])
    u, s, v = t.program.several(call("svd", t.full(x)), [np.shape(found), np.shape(results[0]), right], t.place)
    # The first vectors of the language have a positive largest component, and JAX's the signs that they have on these numbers.
    largest = np.take_along_axis(found, np.abs(found).argmax(-2)[..., None, :], -2)
    signs = positions(np.sign(largest).astype(int))
    t.by_value.append("svd")
    turned = t.program.value(infix(v, "*", signs), right)
    return [s, infix(u, "*", signs), call("transpose", turned, len(right) - 2, len(right) - 1)]


@rule("qr")
def _qr(t, results, params, x):
    if params.get("full_matrices") or params.get("pivoting") or len(x.shape) != 2 or x.shape[0] < x.shape[1]:
        raise NotImplementedError
    q, r = t.program.several(call("qr", t.full(x)), [np.shape(one) for one in results], t.place)
    # In the language the diagonal is not negative, and JAX's has the signs that it has on these numbers.
    signs = np.sign(np.diagonal(np.asarray(results[1]))).astype(int)
    t.by_value.append("qr")
    return [infix(q, "*", positions(signs)), infix(positions(signs[:, None]), "*", r)]


@rule("triangular_solve")
def _triangular(t, results, params, a, b):
    if not params["left_side"]:
        raise NotImplementedError
    matrix = call("tril" if params["lower"] else "triu", t.full(a))
    if params["unit_diagonal"]:
        size = a.shape[-1]
        matrix = infix(
            call("tril" if params["lower"] else "triu", t.full(a), k=-1 if params["lower"] else 1),
            "+",
            call("eye", str(size)),
        )
    if params["transpose_a"]:
        matrix = call("transpose", matrix, len(a.shape) - 2, len(a.shape) - 1)
    return call("solve", matrix, t.full(b))


@goes_inside("custom_linear_solve")
def _linear_solve(t, params, operands):
    lengths, jaxprs = params["const_lengths"], params["jaxprs"]
    consts = operands[: lengths.matvec]
    rest = operands[sum(lengths) :]
    matvec = jaxprs.matvec
    names = [equation.primitive.name for equation in matvec.jaxpr.eqns]
    if (
        len(consts) != 1
        or len(consts[0].shape) != 2
        or len(rest) != 1
        or names not in (["dot_general"], ["dot_general", "transpose"])
    ):
        _refuse(t, "custom_linear_solve")
    (left, right), batch = matvec.jaxpr.eqns[0].params["dimension_numbers"]
    is_rows = len(names) == 2
    if any(batch) or list(left) not in ([1], [0]) or (is_rows and list(right) != [1]):
        _refuse(t, "custom_linear_solve")
    matrix, b = t.full(consts[0]), t.full(rest[0])
    matrix = transposed(matrix) if list(left) == [0] else matrix
    numbers = np.asarray(consts[0].numbers).T if list(left) == [0] else np.asarray(consts[0].numbers)
    # Several right sides stand as rows.
    expression = transposed(call("solve", matrix, transposed(b))) if is_rows else call("solve", matrix, b)
    answer = np.linalg.solve(numbers, np.asarray(rest[0].numbers).T).T
    value = t.program.value(expression, rest[0].shape, place=t.place)
    return [Array(value, rest[0].shape, jnp.asarray(answer))]


def _refuse(t, name):
    from .._tracing import HOW

    raise unknown_operation(f"{name} as it is called here", t.place, HOW)
