"""Which parameters a loss reaches, and where it does not, at which operation and by what the path is cut.

JAX gives zeros where no gradient comes back, and does not tell why. So the jaxpr of the loss is gone through, and what depends on a
parameter is followed, through what no gradient goes through too. Whether one does JAX is asked: of each operation, whether what it makes of
a tangent depends on that at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from .._audit import Audit, Cut, Parameter
from .._pullback import PullbackError
from ._check import _is_array, _names
from ._tracing import _place

#: How often the body of a loop is gone through, until nothing more is found: a value may go from one carry to the next in each.
_MOST_ROUNDS = 64


def audit(fn, *args, loss=None, **kwargs) -> Audit:
    """For every array of floats among the arguments whether the function's loss reaches it.

    ``loss`` makes a scalar of what the function returns; by default all floats that it returns are added up.

    >>> import jax, jax.numpy as jnp
    >>> def f(w, b, x):
    ...     return jax.lax.stop_gradient(w * x) + b
    >>> found = audit(f, jnp.ones(3), jnp.ones(3), jnp.ones(3))
    >>> found["b"].reached, found["w"].reached, found["w"].cuts[0].by
    (True, False, 'stop_gradient')
    """
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    names = _names(fn, args, kwargs)
    at_floats = [k for k, leaf in enumerate(leaves) if _is_array(leaf) and jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.floating)]

    def total(*floats):
        own = list(leaves)
        for at, array in zip(at_floats, floats):
            own[at] = array
        more, keywords = jax.tree_util.tree_unflatten(tree, own)
        result = fn(*more, **keywords)
        return loss(result) if loss is not None else _total(result)

    floats = [jnp.asarray(leaves[at]) for at in at_floats]
    closed = jax.make_jaxpr(total)(*floats)
    if closed.out_avals[0].shape != () or not jnp.issubdtype(closed.out_avals[0].dtype, jnp.floating):
        raise PullbackError("error: a loss is a scalar, of floats")
    gradients = jax.grad(total, argnums=tuple(range(len(floats))))(*floats) if floats else ()
    ways = _through(closed.jaxpr, [_Ways({at: frozenset()}) for at in range(len(floats))], None)[0]
    parameters = []
    for at, (place, gradient) in enumerate(zip(at_floats, gradients)):
        is_zero = not bool(np.any(np.asarray(gradient) != 0))
        functions = ways.live.get(at)
        if functions is None or (is_zero and functions):
            cuts = ways.cut.get(at, frozenset()) | (functions or frozenset())
            found = Parameter(names[place], False, cuts=tuple(sorted(cuts, key=lambda cut: (str(cut.place), cut.by))))
        else:
            found = Parameter(names[place], True, is_zero=is_zero)
        parameters.append(found)
    return Audit(parameters)


def _total(result):
    leaves = [jnp.asarray(leaf) for leaf in jax.tree_util.tree_leaves(result)]
    floats = [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating)]
    if not floats:
        raise PullbackError("error: the function returns no floats: say with `loss=` what its loss is")
    return sum(leaf.sum() for leaf in floats)


@dataclass(frozen=True)
class _Ways:
    """On which parameters a value depends: so that a gradient goes back, by which functions with rules of their own; or cut, by what."""

    live: dict[int, frozenset] = field(default_factory=dict)
    cut: dict[int, frozenset] = field(default_factory=dict)

    def __add__(self, other: _Ways) -> _Ways:
        return _Ways(_joined(self.live, other.live), _joined(self.cut, other.cut))

    def cut_by(self, cut: Cut) -> _Ways:
        """What is left where no gradient goes through."""
        return _Ways({}, _joined(self.cut, {at: frozenset({cut}) for at in self.live}))

    def by(self, function: Cut) -> _Ways:
        """What is left behind a function with a rule of its own."""
        return _Ways({at: functions | {function} for at, functions in self.live.items()}, self.cut)


def _joined(one: dict, other: dict) -> dict:
    return {at: one.get(at, frozenset()) | other.get(at, frozenset()) for at in {*one, *other}}


def _sum(ways) -> _Ways:
    return sum(ways, _Ways())


def _through(jaxpr, inputs: list[_Ways], place) -> list[_Ways]:
    """The ways of what a jaxpr returns, from those of what it is given."""
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    known = dict(zip(jaxpr.invars, inputs))

    def of(atom) -> _Ways:
        return _Ways() if isinstance(atom, Literal) else known.get(atom, _Ways())

    for equation in jaxpr.eqns:
        own = _place(equation) or place
        operands = [of(atom) for atom in equation.invars]
        known.update(zip(equation.outvars, _done(equation, operands, own)))
    return [of(atom) for atom in jaxpr.outvars]


def _done(equation, operands: list[_Ways], place) -> list[_Ways]:
    name, params = equation.primitive.name, equation.params
    if name == "cond":
        chosen = operands[0].cut_by(Cut("integer", "cond", place))
        branches = [_through(branch, operands[1:], place) for branch in params["branches"]]
        return [_sum(results) + chosen for results in zip(*branches)]
    if name == "while":
        split, more = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
        return _until_nothing_is_new(params["body_jaxpr"], operands[split:more], operands[more:], place)
    if name == "scan":
        consts, carries = params["num_consts"], params["num_carry"]
        fixed, carried, rows = operands[:consts], operands[consts : consts + carries], operands[consts + carries :]
        carried = _until_nothing_is_new(params["jaxpr"], fixed, carried, place, rows)
        return [*carried, *_through(params["jaxpr"], [*fixed, *carried, *rows], place)[carries:]]
    inner = next((params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params), None)
    if inner is not None and len(getattr(inner, "jaxpr", inner).invars) == len(operands):
        results = _through(inner, operands, place)
        if name.startswith("custom_vjp"):
            rule = Cut("zeros", str(params.get("name") or getattr(params.get("bwd"), "__name__", "custom_vjp")), place)
            results = [result.by(rule) for result in results]
        return results
    return [_of_one(equation, operands, output, place) for output in range(len(equation.outvars))]


def _until_nothing_is_new(body, fixed, carried, place, rows=()) -> list[_Ways]:
    """The ways of what a loop carries, after any number of steps."""
    carried = list(carried)
    for _ in range(_MOST_ROUNDS):
        after = _through(body, [*fixed, *carried, *rows], place)[: len(carried)]
        joined = [one + other for one, other in zip(carried, after)]
        if joined == carried:
            break
        carried = joined
    return carried


def _of_one(equation, operands: list[_Ways], output: int, place) -> _Ways:
    """The ways of a result of one operation."""
    name, result = equation.primitive.name, _Ways()
    for at, ways in enumerate(operands):
        if not (ways.live or ways.cut):
            continue
        if _lets_through(equation, at, output):
            result += ways
            continue
        is_float = jnp.issubdtype(equation.outvars[output].aval.dtype, jnp.floating)
        by = name if name == "stop_gradient" else "constant" if is_float else "integer"
        result += ways.cut_by(Cut(by, name, place))
    return result


def _lets_through(equation, at: int, output: int) -> bool:
    """Does a tangent of an operand make one of the result?"""
    avals = [atom.aval for atom in equation.invars]
    moved, made = avals[at], equation.outvars[output].aval
    if not all(jnp.issubdtype(aval.dtype, jnp.floating) for aval in (moved, made)):
        return False
    numbers = [atom.val if isinstance(atom, Literal) else jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in equation.invars]
    given = [k for k, number in enumerate(numbers) if isinstance(number, jax.ShapeDtypeStruct)]

    def tangent(direction, *arrays):
        own = list(numbers)
        for k, array in zip(given, arrays):
            own[k] = array

        def of(x):
            own[at] = x
            results = equation.primitive.bind(*own, **equation.params)
            return results[output] if equation.primitive.multiple_results else results

        return jax.jvp(of, (own[at],), (direction,))[1]

    direction = jax.ShapeDtypeStruct(moved.shape, moved.dtype)
    jaxpr = jax.make_jaxpr(tangent)(direction, *[numbers[k] for k in given]).jaxpr
    reached = {jaxpr.invars[0]}
    for inner in jaxpr.eqns:
        if any(not isinstance(atom, Literal) and atom in reached for atom in inner.invars):
            reached.update(inner.outvars)
    return any(not isinstance(atom, Literal) and atom in reached for atom in jaxpr.outvars)
