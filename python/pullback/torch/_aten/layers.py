"""Layers that ATen does as a whole: softmax, norms, losses, attention."""

from __future__ import annotations

import math

import torch

from ..._program import call, indexed, indexed_by, infix, negative, number, positions, power
from .rules import TABLE, Rule, axes_of, named, ones, rule, shape_of, zeros

TABLE["_softmax"] = Rule(
    lambda t, out, x, dim, *_: call("softmax", t.value(x), axis=dim % x.dim()) if x.dim() else ones(())
)


@rule("_safe_softmax")
def _safe_softmax(t, out, x, dim, *_):
    if bool(torch.isinf(x).all(dim).any()):
        raise NotImplementedError
    return TABLE["_softmax"].of(t, out, x, dim)


TABLE["_log_softmax"] = Rule(
    lambda t, out, x, dim, *_: call("log_softmax", t.value(x), axis=dim % x.dim()) if x.dim() else zeros(())
)


@rule("native_layer_norm")
def _layer_norm(t, out, x, normalized, weight, bias, eps):
    axes = list(range(x.dim() - len(normalized), x.dim()))
    axis = axes_of(axes, x.dim()) if len(axes) < x.dim() else None
    where = {"axis": axis} if axis is not None else {}
    mean = call("mean", t.value(x), **where, keepdims=True)
    spread = infix(call("var", t.value(x), **where, keepdims=True), "+", number(eps))
    rstd = call("rsqrt", spread)
    if len(axes) == 1:
        operands = [t.value(one) if one is not None else "none" for one in (weight, bias)]
        while operands and operands[-1] == "none":
            operands.pop()
        return [call("layer_norm", t.value(x), *operands, eps=eps), mean, rstd]
    y = infix(infix(t.value(x), "-", mean), "*", rstd)
    return [_affine(t, y, weight, bias), mean, rstd]


def _affine(t, y, weight, bias, index=None):
    for operand, operator in ((weight, "*"), (bias, "+")):
        if operand is not None:
            value = t.value(operand)
            y = infix(y, operator, value if index is None else indexed(value, index))
    return y


TABLE["_fused_rms_norm"] = Rule(lambda t, out, x, shape, weight, eps: _rms_norm(t, out, x, shape, weight, eps))


def _rms_norm(t, out, x, shape, weight, eps):
    if len(shape) != 1:
        raise NotImplementedError
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    operands = [t.value(weight)] if weight is not None else []
    rstd = call("rsqrt", infix(call("mean", power(t.value(x), 2), axis=x.dim() - 1, keepdims=True), "+", number(eps)))
    return [call("rms_norm", t.value(x), *operands, eps=eps), rstd]


@rule("native_group_norm")
def _group_norm(t, out, x, weight, bias, n, c, hw, groups, eps):
    rows = call("reshape", t.value(x), f"[{n}, {groups}, {c // groups * hw}]")
    rows = named(t, rows, (n, groups, c // groups * hw))
    mean = named(t, call("mean", rows, axis=2, keepdims=True), (n, groups, 1))
    rstd = named(t, call("rsqrt", infix(call("var", rows, axis=2, keepdims=True), "+", number(eps))), (n, groups, 1))
    y = call("reshape", infix(infix(rows, "-", mean), "*", rstd), shape_of(x))
    index = ", ".join([":"] + ["None"] * (x.dim() - 2)) if x.dim() > 2 else None
    return [
        _affine(t, y, weight, bias, index),
        call("reshape", mean, f"[{n}, {groups}]"),
        call("reshape", rstd, f"[{n}, {groups}]"),
    ]


@rule("native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit_no_training")
def _batch_norm(t, out, x, weight, bias, *rest, **_):
    if len(rest) == 5:
        running_mean, running_var, training, _, eps = rest
    elif len(rest) == 4 and isinstance(rest[0], torch.Tensor):
        running_mean, running_var, training, eps = rest[0], rest[1], False, rest[3]
    else:
        running_mean, running_var, (training, _, eps) = None, None, rest[-3:]
    index = ", ".join([":"] + ["None"] * (x.dim() - 2)) if x.dim() > 2 else None
    axes = [axis for axis in range(x.dim()) if axis != 1]
    axis = axes[0] if len(axes) == 1 else axes
    if training:
        mean = named(t, call("mean", t.value(x), axis=axis, keepdims=True), ())
        var = call("var", t.value(x), axis=axis, keepdims=True)
    else:
        mean, var = t.value(running_mean), t.value(running_var)
        mean, var = (indexed(one, index) if index else one for one in (mean, var))
    y = infix(infix(t.value(x), "-", mean), "*", call("rsqrt", infix(var, "+", number(eps))))
    return [_affine(t, y, weight, bias, index)]


TABLE["_native_batch_norm_legit"] = Rule(_batch_norm)
TABLE["_batch_norm_with_update"] = Rule(
    lambda t, out, x, weight, bias, mean, var, momentum, eps: _batch_norm(
        t, out, x, weight, bias, mean, var, True, momentum, eps
    )
)
TABLE["_native_batch_norm_legit"].updates = TABLE["_batch_norm_with_update"].updates = True


@rule("nll_loss_forward")
def _nll(t, out, logp, target, weight, reduction, ignore):
    rows = logp if logp.dim() == 2 else logp.unsqueeze(0)
    values = t.value(logp) if logp.dim() == 2 else call("unsqueeze", t.value(logp), axis=0)
    at = t.index(target)
    at = at if target.dim() == 1 else call("reshape", at, "[1]")
    count, counted = rows.shape[0], None
    if bool((target == ignore).any()):
        counted = named(t, infix(at, "!=", number(ignore)), (count,))
        inside = bool(((target >= 0) & (target < rows.shape[1])).all())
        at = at if inside else t.held(torch.where(target == ignore, 0, target), "target")
    picked = negative(indexed_by(values, [call("arange", str(count)), at]))
    weights = counted
    if weight is not None:
        weights = indexed_by(t.value(weight), [at])
        weights = weights if counted is None else infix(weights, "*", counted)
    if weights is not None:
        weights = named(t, weights, (count,))
        picked = infix(weights, "*", picked)
    if reduction == 0:
        return [picked if target.dim() == 1 else call("reshape", picked, "[]"), None]
    if reduction == 2:
        return [call("sum", picked), None]
    return [call("mean", picked) if weights is None else infix(call("sum", picked), "/", call("sum", weights)), None]


def _attention(t, out, q, k, v, dropout=0.0, causal=False, mask=None, scale=None):
    if dropout:
        raise NotImplementedError
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    groups = q.shape[1] // k.shape[1] if q.dim() == 4 else 1
    key, value = t.value(k), t.value(v)
    if groups > 1:
        at = positions(torch.arange(q.shape[1]) // groups)
        key, value = (call("gather", one, at, axis=1) for one in (key, value))
    scores = infix(infix(t.value(q), "@", call("transpose", key, q.dim() - 2, q.dim() - 1)), "*", number(scale))
    rows, columns = q.shape[-2], k.shape[-2]
    if causal:
        scores = call("where", call("tril", ones((rows, columns))), scores, number(float("-inf")))
    if mask is not None:
        if mask.dtype == torch.bool:
            scores = call("where", t.value(mask), scores, number(float("-inf")))
        else:
            scores = infix(scores, "+", t.value(mask))
    shape = (*q.shape[:-1], columns)
    p = named(t, call("softmax", scores, axis=q.dim() - 1), shape)
    return [infix(p, "@", value)]


TABLE["_scaled_dot_product_flash_attention_for_cpu"] = Rule(
    lambda t, out, q, k, v, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, attn_mask, scale
    )
)
TABLE["_scaled_dot_product_efficient_attention"] = Rule(
    lambda t, out, q, k, v, attn_bias, compute_log_sumexp, dropout_p=0.0, is_causal=False, *, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, attn_bias, scale
    )
)
TABLE["_scaled_dot_product_flash_attention"] = Rule(
    lambda t, out, q, k, v, dropout_p=0.0, is_causal=False, return_debug_mask=False, *, scale=None: _attention(
        t, out, q, k, v, dropout_p, is_causal, None, scale
    )
)
