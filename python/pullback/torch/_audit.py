"""Which parameters a loss reaches, and where it does not, at which operation and by what the path is cut.

Autograd tells that a gradient is ``None`` and not why. So the forward pass is watched, operation by operation: what depends on a
parameter is followed, through what no gradient goes through too, until the loss.
"""

from __future__ import annotations

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from .. import _frames
from .._audit import Audit, Cut, Parameter
from .._program import Place
from .._pullback import PullbackError
from ._functions import NoticesFunctions, function_around
from ._trace import undisturbed


def audit(module, *inputs, loss=None, **kwargs) -> Audit:
    """For every parameter of a module whether its loss reaches it.

    ``loss`` makes a scalar of what the module returns; by default all floats that it returns are added up.

    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b = torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 1, bias=False)
    ...
    ...     def forward(self, x):
    ...         return self.b(self.a(x).detach())
    >>> found = audit(Net(), torch.ones(2, 3))
    >>> found["b.weight"].reached, found["a.weight"].reached, found["a.weight"].cuts[0].by
    (True, False, 'detach')
    """
    named = dict(module.named_parameters())
    watch = _Watch()
    with torch.enable_grad(), undisturbed(module), watch:
        result = module(*inputs, **kwargs)
        total = loss(result) if loss is not None else _total(result)
    if not isinstance(total, torch.Tensor) or total.numel() != 1:
        raise PullbackError("error: a loss is a scalar")
    wanted = {name: parameter for name, parameter in named.items() if parameter.requires_grad}
    gradients: list = [None] * len(wanted)
    if total.requires_grad:
        gradients = list(torch.autograd.grad(total, list(wanted.values()), allow_unused=True))
    found = dict(zip(wanted, gradients))
    parameters = []
    for name, parameter in named.items():
        gradient = found.get(name)
        if gradient is not None:
            parameters.append(Parameter(name, True, is_zero=not bool(torch.any(gradient != 0))))
        elif not parameter.requires_grad:
            parameters.append(Parameter(name, False, cuts=(Cut("no_grad", "requires_grad=False", None),)))
        else:
            parameters.append(Parameter(name, False, cuts=watch.cuts(parameter, total)))
    return Audit(parameters)


def _total(result) -> torch.Tensor:
    floats = [one for one in pytree.tree_leaves(result) if isinstance(one, torch.Tensor) and one.is_floating_point()]
    if not floats:
        raise PullbackError("error: the module returns no floats: say with `loss=` what its loss is")
    return sum(one.sum() for one in floats)


class _Watch(NoticesFunctions, TorchDispatchMode):
    """Remembers what every operation reads and writes, by where the numbers lie."""

    def __init__(self):
        super().__init__()
        self.done: list[tuple] = []
        self._alive: list = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        reads = [
            (_memory(one), one.requires_grad, one.is_floating_point())
            for one in pytree.tree_leaves((args, kwargs))
            if isinstance(one, torch.Tensor)
        ]
        outputs = [one for one in pytree.tree_leaves(result) if isinstance(one, torch.Tensor)]
        writes = [(_memory(one), one.is_floating_point()) for one in outputs]
        self._alive += outputs
        name = operation._schema.name.split("::")[1]
        function = function_around() if not torch.is_grad_enabled() else None
        place = _frames.place_of(_frames.user_frame())
        self.done.append((name, reads, writes, torch.is_grad_enabled(), function, place))
        return result

    def cuts(self, parameter: torch.Tensor, loss: torch.Tensor) -> tuple[Cut, ...]:
        """Where the paths from a parameter to the loss are cut: nothing, where there are none."""
        #: Memory that depends on the parameter: with a gradient (by which functions on the way), or cut off (by what).
        live: dict[int, frozenset] = {_memory(parameter): frozenset()}
        cut: dict[int, frozenset] = {}
        detached: dict[int, Place | None] = {}
        for name, reads, writes, with_grad, function, place in self.done:
            through: frozenset | None = None
            causes: frozenset = frozenset()
            for memory, requires_grad, is_float in reads:
                causes |= cut.get(memory, frozenset())
                if memory not in live:
                    continue
                if name == "detach":
                    detached[memory] = place
                elif is_float and not requires_grad and function is None and with_grad:
                    by = "detach" if memory in detached else "data"
                    causes |= {Cut(by, by, detached.get(memory, place))}
                else:
                    through = (through or frozenset()) | live[memory]
            if name == "detach":
                continue
            read = {memory for memory, _, _ in reads}
            for memory, is_float in writes:
                if memory in read and is_float:
                    # A view of the same numbers.
                    continue
                if through is not None and not is_float:
                    cut[memory] = cut.get(memory, frozenset()) | causes | {Cut("integer", name, place)}
                elif through is not None and not with_grad and function is None:
                    cut[memory] = cut.get(memory, frozenset()) | causes | {Cut("no_grad", name, place)}
                else:
                    if through is not None:
                        more = {Cut("function", function, place)} if function is not None else set()
                        live[memory] = live.get(memory, frozenset()) | through | more
                    if causes:
                        cut[memory] = cut.get(memory, frozenset()) | causes
        end = _memory(loss)
        found = cut.get(end, frozenset()) | live.get(end, frozenset())
        return tuple(sorted(found, key=lambda cut: (str(cut.place), cut.by)))


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
