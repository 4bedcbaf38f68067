"""Operations that have jaxprs inside: functions, loops, choices; and what is drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..._program import Value, call, indexed, number
from .._tracing import Array
from .rules import goes_inside, rule


@goes_inside("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2", "custom_lin")
def _jit(t, params, operands):
    closed = params.get("jaxpr", params.get("call_jaxpr"))
    found = _of_linear_algebra(t, params.get("name"), closed, operands)
    return found if found is not None else t.inner(closed, operands)


def _of_linear_algebra(t, name, closed, operands):
    """Determinants, by name: JAX makes them of a factorisation that has no derivative of its own."""
    jaxpr = getattr(closed, "jaxpr", closed)
    info = getattr(getattr(jaxpr, "debug_info", None), "func_src_info", "") or ""
    if name not in ("slogdet", "det") or "linalg" not in info or len(operands[0].shape) != 2:
        return None
    x, numbers = t.full(operands[0]), np.asarray(operands[0].numbers)
    det = t.program.value(call("det", x), (), place=t.place)
    if name == "det":
        return [Array(det, (), jnp.linalg.det(numbers))]
    sign, log = jnp.linalg.slogdet(numbers)
    value = t.program.value(call("log", call("abs", det)), (), place=t.place)
    return [Array(t.program.value(call("sign", det), (), place=t.place), (), sign), Array(value, (), log)]


@goes_inside("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
def _custom(t, params, operands):
    return t.inner(params.get("call_jaxpr") or params["fun_jaxpr"], operands)


@goes_inside("cond")
def _cond(t, params, operands):
    which = operands[0]
    if not which.is_fixed:
        t.by_value.append("cond")
    branches = params["branches"]
    return t.inner(branches[int(np.clip(int(which.numbers), 0, len(branches) - 1))], operands[1:])


@goes_inside("while")
def _while(t, params, operands):
    split, more = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    for_cond, for_body, carried = operands[:split], operands[split:more], operands[more:]
    while True:
        holds = t.inner(params["cond_jaxpr"], [*for_cond, *carried])[0]
        if not holds.is_fixed:
            t.by_value.append("while")
        if not bool(holds.numbers):
            return carried
        t.step()
        carried = t.inner(params["body_jaxpr"], [*for_body, *carried])


@goes_inside("scan")
def _scan(t, params, operands):
    consts, carries = params["num_consts"], params["num_carry"]
    fixed, carried, rows = operands[:consts], operands[consts : consts + carries], operands[consts + carries :]
    length, outputs = params["length"], []
    steps = range(length - 1, -1, -1) if params["reverse"] else range(length)
    for at in steps:
        t.step()
        inputs = []
        for row in rows:
            symbol = row.symbol
            if isinstance(symbol, Value):
                symbol = t.program.value(indexed(t.full(row), str(at)), row.shape[1:])
                symbol.is_index = isinstance(row.symbol, Value) and row.symbol.is_index
            inputs.append(Array(symbol, row.shape[1:], row.numbers[at], row.is_fixed))
        results = t.inner(params["jaxpr"], [*fixed, *carried, *inputs])
        carried = results[:carries]
        outputs.append(results[carries:])
    if params["reverse"]:
        outputs.reverse()
    stacked = []
    closed = params["jaxpr"]
    for k, variable in enumerate(getattr(closed, "jaxpr", closed).outvars[carries:]):
        parts = [output[k] for output in outputs]
        shape = (length, *variable.aval.shape)
        if not parts:
            stacked.append(Array(number(0), shape, jnp.zeros(shape, variable.aval.dtype)))
            continue
        numbers = jnp.stack([part.numbers for part in parts])
        value = t.program.value(
            call("stack", [t.full(part) if part.shape else part.symbol for part in parts], axis=0), shape, place=t.place
        )
        stacked.append(Array(value, shape, numbers, all(part.is_fixed for part in parts)))
    return [*carried, *stacked]


@rule("platform_index")
def _platform(t, results, params, *_):
    return number(int(np.asarray(results[0])))


@rule(
    "random_bits",
    "random_seed",
    "random_wrap",
    "random_unwrap",
    "random_fold_in",
    "threefry2x32",
    "shift_right_logical",
    "shift_left",
)
def _random(t, results, params, *_):
    return [
        t.held(np.asarray(result), "drawn")
        if not jnp.issubdtype(getattr(result, "dtype", np.int32), jax.dtypes.prng_key)
        else number(0)
        for result in results
    ]


@rule("bitcast_convert_type")
def _bitcast(t, results, params, *_):
    return t.held(results[0], "drawn")
