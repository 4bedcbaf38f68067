"""A function of PyTorch traced: the program, what its inputs and outputs are called, and where each line comes from."""

from __future__ import annotations

import contextlib
import inspect
import re

import torch
from torch.utils import _pytree as pytree

from .._program import COMPARED, Expression, Value
from .._pullback import PullbackError
from .._traced import Traced as _Traced
from . import _arrays
from ._tracing import Tracer


class Traced(_Traced):
    """A traced function of PyTorch."""

    #: The tensors of the inputs, in the order of the program, and whether each is differentiated.
    arguments: list[tuple[str, torch.Tensor, bool]]
    #: What the function used and was not given: parameters and tensors of closures.
    captured: list[tuple[str, torch.Tensor]]


def trace(fn, *args, **kwargs) -> Traced:
    """The program that a function is on these arguments.

    It prints as text of the language, and goes wherever a source goes: ``pullback.derive(traced, wrt="x")``.

    >>> import torch, pullback
    >>> def rms(x, g):
    ...     u = torch.sqrt(x.pow(2).mean(-1, keepdim=True))
    ...     return g * x / u
    >>> print(trace(rms, torch.ones(2, 3), torch.ones(3)).text(places=False))
    dtype f32
    x: [2, 3] ~ uniform(1, 1.5)
    g: [3] ~ uniform(1, 1.5)
    u = sqrt(mean(x^2, axis=1, keepdims=true))
    y = g * x / u
    """
    leaves, spec = pytree.tree_flatten((args, kwargs))
    names = argument_names(fn, args, kwargs)
    differentiated = which_are_differentiated(leaves)
    called = callable_of(fn)
    tracer = Tracer(module_names(fn))
    inside, arguments = [], []
    for leaf, name, is_one in zip(leaves, names, differentiated):
        if isinstance(leaf, torch.Tensor):
            refuse_what_has_no_real_numbers(name, leaf)
            leaf = _arrays.copied(leaf)
            value = tracer.argument(name, leaf, is_one)
            arguments.append((value, leaf, is_one))
        inside.append(leaf)
    args, kwargs = pytree.tree_unflatten(inside, spec)
    tracer.program.dtype = precision_of([leaf for leaf in leaves if isinstance(leaf, torch.Tensor)])
    state = torch.random.get_rng_state()
    # A layer that a library does as a whole is done operation by operation.
    fused = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        with torch.enable_grad(), undisturbed(fn), tracer:
            result = called(*args, **kwargs)
    finally:
        torch._C._set_mkldnn_enabled(fused)
    torch.random.set_rng_state(state)
    outputs = [one for one in pytree.tree_leaves(result) if isinstance(one, torch.Tensor)]
    if not outputs:
        raise PullbackError("error: the function returns no tensor: there is nothing to trace")
    tracer.finish()
    return traced(tracer, name_of(fn), arguments, outputs)


def traced(tracer: Tracer, name: str, arguments, outputs) -> Traced:
    """What was traced, with outputs that have names of their own."""
    program = tracer.program
    found: list[Value | None] = []
    for output in outputs:
        if not output.is_floating_point():
            found.append(None)
            continue
        value = tracer.value(output)
        if isinstance(value, Expression) or value.kind == "input" or value in program.outputs:
            expression = value if isinstance(value, Expression) else Expression([(value, COMPARED)])
            value = program.value(expression, output.shape)
        if value.hint is None:
            value.hint = "y"
        program.output(value)
        found.append(value)
    if not program.outputs:
        raise PullbackError("error: the function returns integers: there is nothing to differentiate")
    if arguments and not any(value is not None and _is_computed(value, tracer) for value in found):
        raise PullbackError(
            f"error: nothing that `{name}` returns is computed from its arguments by operations of PyTorch\n"
            "  = help: give `reference=`, a function that computes the same with tensors"
        )
    text = program.text()
    return Traced(
        program,
        text,
        name=name,
        outputs=[value.name if value is not None else None for value in found],
        arguments=[(value.name, tensor, is_one) for value, tensor, is_one in arguments],
        captured=[(value.name, tensor) for value, tensor in tracer.captured if value.name is not None],
        by_value=tracer.by_value + program.held(),
    )


def _is_computed(value: Value, tracer: Tracer) -> bool:
    """Does it depend on an input that is no number found on the way?"""
    found = {id(one) for one, tensor in tracer.captured if not (tensor.requires_grad and tensor.is_leaf)}
    seen, pending = set(), [value]
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.kind == "input" and id(one) not in found:
            return True
        pending.extend(part[0] for part in one.parts if not isinstance(part, str))
    return False


def refuse_what_has_no_real_numbers(name: str, tensor: torch.Tensor) -> None:
    """The language has arrays of real numbers, and every one of them has a place in memory."""
    kind = None
    if tensor.is_complex() or tensor.is_quantized:
        kind = str(tensor.dtype).replace("torch.", "")
    elif tensor.layout != torch.strided:
        kind = str(tensor.layout).replace("torch.", "")
    elif tensor.device.type == "meta":
        kind = "meta"
    if kind is not None:
        raise PullbackError(
            f"error: `{name}` is a {kind} tensor, and arrays of real numbers can be traced\n"
            "  = help: give real and imaginary parts, or a dense tensor, by themselves"
        )


def callable_of(fn):
    """What is called: `apply` of a `torch.autograd.Function`."""
    if isinstance(fn, type) and issubclass(fn, torch.autograd.Function):
        # Looked up when it is called: whoever watches functions takes its place.
        return lambda *args, **kwargs: fn.apply(*args, **kwargs)
    return fn


@contextlib.contextmanager
def undisturbed(fn):
    """Gives the buffers of a module their numbers back, such as running means."""
    buffers = list(fn.buffers()) if isinstance(fn, torch.nn.Module) else []
    before = [buffer.detach().clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, old in zip(buffers, before):
            # What autograd has saved of it may be read later: it is not told that this is written to.
            buffer.data.copy_(old)


def name_of(fn) -> str:
    """What a function is called."""
    if isinstance(fn, type):
        return fn.__name__
    name = getattr(fn, "__name__", None) or type(fn).__name__
    return "function" if name == "<lambda>" else name


def which_are_differentiated(leaves) -> list[bool]:
    """Those that require a gradient, as for PyTorch's gradcheck; all that are floats where none does."""
    is_float = [isinstance(leaf, torch.Tensor) and leaf.is_floating_point() for leaf in leaves]
    asked = [one and leaf.requires_grad for one, leaf in zip(is_float, leaves)]
    return asked if any(asked) else is_float


def argument_names(fn, args, kwargs) -> list[str]:
    """A name for each leaf of the arguments: that of the parameter, and where it stands in a list or a dict."""
    if isinstance(fn, type) and issubclass(fn, torch.autograd.Function):
        parameters = list(inspect.signature(fn.forward).parameters.values())
        takes_context = not _has_setup_context(fn)
        parameters = parameters[1:] if takes_context else parameters
    else:
        target = fn.forward if isinstance(fn, torch.nn.Module) else fn
        try:
            parameters = list(inspect.signature(target).parameters.values())
        except (TypeError, ValueError):
            parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind == p.VAR_POSITIONAL), "x")
    names = []
    for at, arg in enumerate(args):
        name = positional[at] if at < len(positional) else f"{rest}{at - len(positional)}"
        names += [name + _path(path) for path, _ in pytree.tree_flatten_with_path(arg)[0]]
    for key, arg in kwargs.items():
        names += [key + _path(path) for path, _ in pytree.tree_flatten_with_path(arg)[0]]
    return names


def _has_setup_context(fn) -> bool:
    return fn.setup_context is not torch.autograd.Function.setup_context


def _path(path) -> str:
    return "".join("_" + re.sub(r"\W+", "_", str(key)).strip("_") for key in path)


def module_names(fn) -> dict[int, str]:
    """The parameters and buffers of a module by where they hang."""
    module = fn if isinstance(fn, torch.nn.Module) else getattr(fn, "__self__", None)
    if not isinstance(module, torch.nn.Module):
        return {}
    named = [*module.named_parameters(), *module.named_buffers()]
    return {id(tensor): name.replace(".", "_") for name, tensor in named}


def precision_of(tensors) -> str:
    """The precision of the language in which a program on such tensors is judged: f32 for all that is no f64."""
    floats = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return "f64" if not floats or torch.float64 in floats else "f32"
