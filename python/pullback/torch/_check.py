"""A backward pass of PyTorch that runs, judged by its forward pass.

The function runs on copies of its arguments with a cotangent for each output; what it was given, what it computed and what its backward
pass returned goes to Pullback beside the traced reference. Where a gradient is wrong Pullback asks the function again on other numbers.
"""

from __future__ import annotations

import torch
from torch.utils import _pytree as pytree

from .._judging import judge, loss_name
from .._pullback import PullbackError
from .._report import Report
from . import _arrays
from ._trace import Traced, argument_names, callable_of, name_of, trace, undisturbed, which_are_differentiated
from ._trace import traced as finished
from ._tracing import Tracer


def check(
    fn,
    *args,
    reference=None,
    cotangents=None,
    order: int = 1,
    precision: str | None = None,
    seed: int = 0,
    **kwargs,
) -> Report:
    """Judges the backward pass of a function on these arguments.

    ``fn`` is a ``torch.autograd.Function``, a module, or any function that PyTorch differentiates. ``reference`` is a plain function of
    the same arguments that computes the same; by default it is the forward pass of ``fn`` itself. The gradients by all tensors that
    require one are judged, or by all floats where none does; and by parameters that the function uses.

    ``cotangents``: one for each output, ``None`` for one that is not used; by default random ones, of ``seed``. ``order=2`` judges what
    the backward pass is differentiated to. ``precision``: in what the function computes, where its tensors do not tell it.

    >>> import torch
    >>> x = torch.randn(4, 3, dtype=torch.float64)
    >>> check(torch.nn.functional.softmax, x, dim=-1).ok
    True
    """
    if order not in (1, 2):
        raise ValueError(f"order={order}: 1 and 2 are understood")
    if order == 2:
        return _check_twice(fn, args, kwargs, reference, cotangents, precision, seed)
    traced = trace(reference if reference is not None else fn, *args, **kwargs)
    return judged(fn, args, kwargs, traced, cotangents, precision, seed)


def judged(fn, args, kwargs, traced: Traced, cotangents, precision, seed) -> Report:
    """Judges a function by a program that was traced on the same arguments."""
    run = Run(fn, args, kwargs, traced)
    outputs = run.outputs(run.arguments)
    given = run.cotangents(outputs, cotangents, seed)
    loss = loss_name(traced)
    used = [(name, output, dy) for (name, output), dy in zip(outputs, given) if dy is not None]
    if not used:
        raise PullbackError("error: no output is used: there is nothing to judge")
    gradients = run.gradients(outputs, given)
    remarks = run.remarks(given, gradients)

    data = [entry(name, tensor) for name, tensor, _ in run.arguments]
    data += [entry(f"d{loss}/d{name}", dy) for name, _, dy in used]
    data += [entry(name, output) for name, output, _ in used]
    names = [name for name, _, is_one in run.arguments if is_one]
    data += [entry(f"d{loss}/d{name}", g) for name, g in zip(names, gradients) if g is not None]
    there = [name for name, g in zip(names, gradients) if g is not None]
    if not there:
        remarks.append("no gradient came back: every one that was asked for is `None`")

    def asked(numbers):
        return run.on_other_data(numbers, loss, there)

    cotangents = [(name, dy.shape) for name, _, dy in used]
    return judge(traced, name_of(fn), cotangents, data, asked, precision, remarks)


def entry(name: str, tensor: torch.Tensor):
    """A tensor as Pullback takes it."""
    array, computed = _arrays.to_numpy(tensor)
    return name, array, computed


#: Added to seeds.
_FAR = 0x5DEECE66D


class Run:
    """A function on arguments of its own."""

    def __init__(self, fn, args, kwargs, traced: Traced):
        self.whole, self.fn, self.traced = fn, callable_of(fn), traced
        leaves, self.spec = pytree.tree_flatten((args, kwargs))
        #: The names of the program, in the order of the leaves that are tensors.
        names = iter(traced.arguments)
        self.leaves = leaves
        self.arguments: list[tuple[str, torch.Tensor, bool]] = []
        for leaf in leaves:
            if isinstance(leaf, torch.Tensor):
                name, _, is_one = next(names)
                self.arguments.append((name, _fresh(leaf, is_one), is_one))
        # What was not given is used as it is: a parameter of a module is that very parameter.
        for name, tensor in traced.captured:
            self.arguments.append((name, tensor, tensor.requires_grad))
        self.given = sum(isinstance(leaf, torch.Tensor) for leaf in leaves)
        self.before = [tensor.detach().clone() for _, tensor, _ in self.arguments]

    def outputs(self, arguments) -> list[tuple[str, torch.Tensor]]:
        """The outputs that are floats, with their names in the program."""
        state = torch.random.get_rng_state()
        tensors = iter(tensor for _, tensor, _ in arguments[: self.given])
        leaves = [next(tensors) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        # A leaf that requires a gradient may not be written to in place, and a function may do so to its argument.
        args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        with torch.enable_grad(), undisturbed(self.whole):
            result = self.fn(*args, **kwargs)
        torch.random.set_rng_state(state)
        found = [one for one in pytree.tree_leaves(result) if isinstance(one, torch.Tensor)]
        names = self.traced.outputs
        if len(found) < len(names):
            raise PullbackError(f"error: the reference returns {len(names)} tensors, and the function {len(found)}")
        if any(one.is_floating_point() and one.requires_grad for one in found[len(names) :]):
            raise PullbackError(
                f"error: the function returns {len(found)} tensors, and the reference {len(names)}: "
                "the gradients through the others would not be judged"
            )
        return [(name, one) for name, one in zip(names, found) if name is not None]

    def cotangents(self, outputs, given, seed: int) -> list[torch.Tensor | None]:
        """One for each output; none for what is not differentiable."""
        if given is not None:
            given = [given] if isinstance(given, torch.Tensor) else list(given)
            if len(given) != len(outputs):
                raise PullbackError(f"error: {len(given)} cotangents are given, and there are {len(outputs)} outputs")
            for (name, output), dy in zip(outputs, given):
                if dy is not None and dy.shape != output.shape:
                    shapes = f"{list(dy.shape)}, and `{name}` has the shape {list(output.shape)}"
                    raise PullbackError(f"error: a cotangent has the shape {shapes}")
            return [dy.detach().to(output) if dy is not None else None for dy, (_, output) in zip(given, outputs)]
        # Far from the seeds that people draw their arguments with: a cotangent that is an argument would hide mistakes.
        generator = torch.Generator().manual_seed(_FAR + seed)
        drawn = [torch.randn(output.shape, generator=generator, dtype=torch.float64) for _, output in outputs]
        return [dy.to(output) if output.requires_grad else None for dy, (_, output) in zip(drawn, outputs)]

    def gradients(self, outputs, cotangents, arguments=None) -> list[torch.Tensor | None]:
        """What the backward pass returns for each argument that is differentiated."""
        inputs = [tensor for _, tensor, is_one in arguments or self.arguments if is_one]
        used = [(output, dy) for (_, output), dy in zip(outputs, cotangents) if dy is not None and output.requires_grad]
        if not inputs or not used:
            raise PullbackError("error: no output requires a gradient: there is no backward pass")
        given = [dy.clone() for _, dy in used]
        try:
            found = torch.autograd.grad(
                [output for output, _ in used], inputs, given, allow_unused=True, retain_graph=True
            )
        except RuntimeError as error:
            # PyTorch refuses a gradient of another shape; what is wrong with it is for Pullback to say.
            found = _raw([output for output, _ in used], inputs, given) if "invalid gradient" in str(error) else None
            if found is None:
                raise
        return list(found)

    def remarks(self, cotangents, gradients) -> list[str]:
        """What is seen besides: another run that gives other numbers, and arguments that are written to."""
        remarks = []
        for (name, tensor, _), before in zip(self.arguments, self.before):
            if not torch.equal(tensor.detach().nan_to_num(), before.nan_to_num()):
                remarks.append(f"`{name}` is written to in place: it is judged as it was before")
        again = [
            (n, _fresh(b, o) if at < self.given else t, o)
            for at, ((n, t, o), b) in enumerate(zip(self.arguments, self.before))
        ]
        outputs = self.outputs(again)
        others = self.gradients(outputs, cotangents, again)
        names = [name for name, _, is_one in self.arguments if is_one]
        for name, one, other in zip(names, gradients, others):
            if one is not None and other is not None and not torch.equal(one.nan_to_num(), other.nan_to_num()):
                spread = (one.double() - other.double()).abs().max().item()
                remarks.append(
                    f"the function is not deterministic: in two runs d/d{name} differs by up to {spread:.2g}"
                )
        # What is judged is what the function was given.
        self.arguments = [
            (n, b if at < self.given else t, o) for at, ((n, t, o), b) in enumerate(zip(self.arguments, self.before))
        ]
        return remarks

    def on_other_data(self, numbers, loss: str, names: list[str]):
        """The gradients on other numbers. What has 16 bits is asked in 32, where the numbers that Pullback draws can be held."""
        arguments, replaced = [], []
        for name, tensor, is_one in self.arguments:
            wide = torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype
            other = _arrays.from_numpy(numbers[name], tensor, wide)
            arguments.append((name, other.requires_grad_(is_one), is_one))
        try:
            for (_, tensor, _), (_, other, _) in list(zip(self.arguments, arguments))[self.given :]:
                replaced.append((tensor, tensor.detach().clone()))
                tensor.data.copy_(other.detach())
            kept = [
                (n, t if at >= self.given else o, i)
                for at, ((n, t, i), (_, o, _)) in enumerate(zip(self.arguments, arguments))
            ]
            outputs = self.outputs(kept)
            cotangents = [
                _arrays.from_numpy(numbers[f"d{loss}/d{name}"], output, output.dtype)
                if f"d{loss}/d{name}" in numbers
                else None
                for name, output in outputs
            ]
            gradients = self.gradients(outputs, cotangents, kept)
        finally:
            for tensor, before in replaced:
                tensor.data.copy_(before)
        all_names = [name for name, _, is_one in self.arguments if is_one]
        found = dict(zip(all_names, gradients))
        return [
            (f"d{loss}/d{name}", _arrays.to_numpy(found[name])[0] if found[name] is not None else None)
            for name in names
        ]


def _raw(outputs, inputs, cotangents):
    """What the backward pass of one function returns, whatever its shape: nothing where other operations stand around it."""
    node = outputs[0].grad_fn
    backward = getattr(node, "apply", None)
    if backward is None or any(output.grad_fn is not node for output in outputs):
        return None
    leaves = [getattr(following, "variable", None) for following, _ in node.next_functions]
    places = [next((at for at, leaf in enumerate(leaves) if leaf is one), None) for one in inputs]
    if None in places:
        return None
    by_output = {output.output_nr: dy for output, dy in zip(outputs, cotangents)}
    returned = backward(*[by_output.get(number) for number in range(max(by_output) + 1)])
    returned = returned if isinstance(returned, tuple) else (returned,)
    return [returned[at] for at in places] if len(returned) == len(leaves) else None


def _fresh(tensor: torch.Tensor, differentiated: bool) -> torch.Tensor:
    """A leaf of its own with the same numbers and strides."""
    return _arrays.copied(tensor).requires_grad_(differentiated and tensor.is_floating_point())


def _check_twice(fn, args, kwargs, reference, cotangents, precision, seed) -> Report:
    """Judges what a backward pass is differentiated to, by PyTorch's own gradient of the reference."""
    leaves, spec = pytree.tree_flatten((args, kwargs))
    differentiated = which_are_differentiated(leaves)
    names = argument_names(reference if reference is not None else fn, args, kwargs)
    called, plain = callable_of(fn), callable_of(reference if reference is not None else fn)
    if reference is None and isinstance(fn, type):
        plain = _forward_of(fn)
    first = Run(fn, args, kwargs, trace(reference if reference is not None else fn, *args, **kwargs))
    outputs = first.outputs(first.arguments)
    given = [dy for dy in first.cotangents(outputs, cotangents, seed) if dy is not None]
    wrt = [at for at, is_one in enumerate(differentiated) if is_one]

    def gradient_of(function):
        def gradient(*all_leaves):
            inside, dys = list(all_leaves[: len(leaves)]), all_leaves[len(leaves) :]
            with torch.enable_grad():
                for at in wrt:
                    inside[at] = inside[at] if inside[at].requires_grad else inside[at].requires_grad_()
                again, more = pytree.tree_unflatten(inside, spec)
                results = pytree.tree_leaves(function(*again, **more))
                results = [one for one in results if isinstance(one, torch.Tensor) and one.requires_grad]
                found = torch.autograd.grad(
                    results, [inside[at] for at in wrt], list(dys), create_graph=True, allow_unused=True
                )
            return tuple(one for one in found if one is not None)

        gradient.__name__ = gradient.__qualname__ = f"backward of {name_of(fn)}"
        return gradient

    tracer = Tracer()
    tracer.detach_is_same = True
    inside, arguments = [], []
    for leaf, name, is_one in zip(
        [*leaves, *given], [*names, *_names_of(given)], [*differentiated, *[True] * len(given)]
    ):
        if isinstance(leaf, torch.Tensor):
            leaf = _fresh(leaf, is_one)
            arguments.append((tracer.argument(name, leaf, is_one), leaf, is_one))
        inside.append(leaf)
    tracer.program.dtype = "f64" if any(t.dtype == torch.float64 for _, t, _ in arguments) else "f32"
    with tracer:
        results = gradient_of(plain)(*inside)
    for at, result in enumerate(results):
        tracer.value(result).hint = f"grad_{names[wrt[at]]}"
    traced = finished(tracer, name_of(gradient_of(called)), arguments, list(results))
    return judged(gradient_of(called), (*leaves, *given), {}, traced, None, precision, seed)


def _names_of(cotangents) -> list[str]:
    return [f"cotangent{at if len(cotangents) > 1 else ''}" for at in range(len(cotangents))]


def _forward_of(fn):
    """The forward pass of a `torch.autograd.Function` as a plain function, which PyTorch differentiates by itself."""
    from types import SimpleNamespace

    def forward(*args):
        if fn.setup_context is not torch.autograd.Function.setup_context:
            return fn.forward(*args)
        context = SimpleNamespace()
        context.save_for_backward = lambda *_: None
        context.mark_non_differentiable = context.mark_dirty = context.set_materialize_grads = lambda *_: None
        return fn.forward(context, *args)

    return forward
