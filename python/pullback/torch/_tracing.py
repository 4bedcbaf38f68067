"""A function of PyTorch as a program of the ``.grad`` language.

The function runs once, on its arguments, below PyTorch's autograd: each operation of ATen that it comes to is done, and written down.
So control flow is that of these numbers, and whatever Python does in between does not matter. What an operation is in the language is
stated in ``_aten/``; one that is not there is decomposed by PyTorch's own tables; what is left is an error that names it.

A tensor is known by where its numbers lie, so that views of the same numbers are the same value. Where they are written to in place,
what lies there has a new value, and views of it are read off that.
"""

from __future__ import annotations

import torch
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode

from .. import _frames
from .._program import Program, Value, call, distribution, indexed, infix, number, positions, unknown_operation
from .._pullback import PullbackError
from . import _arrays
from ._aten import CONSTANT, RANDOM, TABLE, is_held
from ._functions import NoticesFunctions, function_around

#: What to do about an operation that is not known.
_HOW = (
    "give a reference that is written without it (`reference=`), or check the parts before and behind it by themselves"
)


#: Longer lists of positions are inputs.
_MOST_WRITTEN = 1 << 12


#: What changes the shape of a tensor itself, and none of its numbers.
_TURNED_IN_PLACE = {"squeeze_", "unsqueeze_", "t_", "transpose_"}


class Tracer(NoticesFunctions, TorchDispatchMode):
    """Writes down what is done while it is active."""

    def __init__(self, names: dict[int, str] | None = None):
        super().__init__()
        self.program = Program()
        #: Inputs that are no arguments: parameters, tensors of closures, what was drawn; by their values.
        self.captured: list[tuple[Value, torch.Tensor]] = []
        #: Did what was done depend on the numbers, so that on others another program would have been traced?
        self.by_value: list[str] = []
        #: PyTorch's own gradients detach what they have saved, which cuts nothing off.
        self.detach_is_same = False
        self._names = names or {}
        self._known: dict[tuple, tuple[Value, int]] = {}
        #: By the place of a storage: how often it was written to, and the value and tensor that cover it all.
        self._storages: dict[int, list] = {}
        #: What is known by its place has to stay there.
        self._alive: list = []
        self._last: dict[tuple, Value] = {}

    # Values of tensors.

    def argument(self, name: str, tensor: torch.Tensor, differentiable: bool) -> Value:
        """Makes an input of an argument. One that is not differentiated is held."""
        value = self.program.input(name, tensor.shape, distribution(_arrays.to_numpy(tensor)[0]))
        inside = value
        if tensor.is_floating_point() and not differentiable:
            inside = self.program.value(call("stop_gradient", value), tensor.shape, hint=f"{name}_held")
        self.bind(tensor, inside)
        return value

    def bind(self, tensor: torch.Tensor, value: Value) -> None:
        """From now on what lies there is this."""
        self._alive.append(tensor)
        storage = self._storage(tensor)
        self._known[_place(tensor)] = (value, storage[0])
        if storage[1] is None and _covers(tensor):
            storage[1:] = [value, tensor]

    def value(self, operand):
        """The value of a tensor; a number as it is."""
        if not isinstance(operand, torch.Tensor):
            return operand if isinstance(operand, Value) else number(operand)
        storage = self._storage(operand)
        known = self._known.get(_place(operand))
        if known is not None and known[1] == storage[0]:
            return known[0]
        if storage[1] is not None:
            value = self._view(storage[1], storage[2], operand)
            self._known[_place(operand)] = (value, storage[0])
            return value
        return self._capture(operand)

    def written(self, tensor: torch.Tensor, value: Value) -> None:
        """What lies there was overwritten by this."""
        storage = self._storage(tensor)
        if storage[1] is None and not _covers(tensor):
            raise PullbackError("error: a part of a tensor that the function did not make is written to in place")
        if _covers(tensor):
            owner, base = value, tensor
        else:
            base = storage[2]
            owner = self._put(storage[1], base, tensor, value)
        storage[0] += 1
        storage[1:] = [owner, base]
        self._alive.append(tensor)
        self._known[_place(base)] = (owner, storage[0])
        self._known[_place(tensor)] = (value, storage[0])

    def _put(self, old: Value, base: torch.Tensor, tensor: torch.Tensor, value) -> Value:
        """The whole with a part of it overwritten: pieces joined where that is a range of one axis, else at positions."""
        place = _frames.place_of(_frames.user_frame())
        found = _range(tensor, base)
        if found is not None:
            axis, start, end = found
            cut = lambda text: indexed(old, ", ".join([":"] * axis + [text]))  # noqa: E731
            middle = value
            if tensor.dim() < base.dim():
                middle = call("unsqueeze", value, axis=axis)
            before = [cut(f":{start}")] if start else []
            after = [cut(f"{end}:")] if end < base.shape[axis] else []
            return self.program.value(call("concat", [*before, middle, *after], axis=axis), base.shape, place=place)
        size, count = base.numel(), tensor.numel()
        at = self._positions(tensor, base)
        flat = call("reshape", value, f"[{count}]")
        hit = infix(call("scatter_add", f"ones({count})", at, str(size)), ">", 0)
        joined = call("where", hit, call("scatter_add", flat, at, str(size)), call("reshape", old, f"[{size}]"))
        return self.program.value(call("reshape", joined, _shape(base.shape)), base.shape, place=place)

    def held(self, tensor: torch.Tensor, hint: str) -> Value:
        """Numbers that are taken as they are: drawn ones, and those that an operation chose."""
        frame = _frames.user_frame()
        place = _frames.place_of(frame)
        array = _arrays.to_numpy(tensor)[0]
        value = self.program.input(hint, tensor.shape, distribution(array), place)
        self.captured.append((value, tensor.detach().clone()))
        value.is_held = True
        if not tensor.is_floating_point():
            return value
        return self.program.value(call("stop_gradient", value), tensor.shape)

    def _capture(self, tensor: torch.Tensor) -> Value:
        if tensor.numel() == 1 and not tensor.requires_grad and tensor.dim() == 0 and id(tensor) not in self._names:
            return number(tensor.item())
        name, frame = self._names.get(id(tensor)), _frames.user_frame()
        name = name or _name_of(tensor, frame) or "constant"
        place = _frames.place_of(frame)
        source = distribution(_arrays.to_numpy(tensor)[0])
        value = self.program.input(name, tensor.shape, source, place)
        self.captured.append((value, tensor))
        if tensor.is_floating_point() and not tensor.requires_grad:
            value = self.program.value(call("stop_gradient", value), tensor.shape)
        self.bind(tensor, value)
        return value

    def _storage(self, tensor: torch.Tensor) -> list:
        return self._storages.setdefault(tensor.untyped_storage().data_ptr(), [0, None, None])

    def _view(self, owner: Value, base: torch.Tensor, view: torch.Tensor) -> Value:
        if view.shape == base.shape and view.stride() == base.stride():
            return owner
        if base.is_contiguous() and view.is_contiguous() and view.numel() == base.numel():
            return self.program.value(call("reshape", owner, _shape(view.shape)), view.shape)
        flat = call("reshape", owner, f"[{base.numel()}]")
        read = call("gather", flat, self._positions(view, base))
        return self.program.value(call("reshape", read, _shape(view.shape)), view.shape)

    def _positions(self, view: torch.Tensor, base: torch.Tensor):
        """Where the numbers of a view stand in its base, row by row: positions are no data."""
        numbers = torch.empty(base.numel(), dtype=torch.int64)
        numbers.as_strided(base.shape, base.stride()).copy_(torch.arange(base.numel()).reshape(base.shape))
        of_view = numbers.as_strided(view.shape, view.stride(), view.storage_offset() - base.storage_offset())
        return self.places(of_view.reshape(-1))

    def places(self, numbers: torch.Tensor):
        """Integers that are the same whatever the data: written out, where these are not too many."""
        if numbers.numel() <= _MOST_WRITTEN:
            return positions(numbers)
        return self.held(numbers, "places")

    def index(self, tensor: torch.Tensor):
        """The value of integers as an index. Where the program computes them they are held as they are."""
        value = self.value(tensor)
        return value if isinstance(value, Value) and value.is_index else self.held(tensor, "index")

    # What is done.

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self._notice_names()
        name = operation._schema.name.split("::")[1]
        if operation.namespace not in ("aten", "prims"):
            raise unknown_operation(operation._schema.name, _frames.place_of(_frames.user_frame()), _HOW)
        if name in ("_local_scalar_dense", "is_nonzero", "equal", "nonzero"):
            around = function_around() if args[0].is_floating_point() and name == "_local_scalar_dense" else None
            if around is not None and isinstance(self.value(args[0]), Value):
                place = _frames.place_of(_frames.user_frame())
                raise PullbackError(
                    f"error: the forward pass of `{around}` makes a Python number of a tensor{f' ({place})' if place else ''}: "
                    "what depends on it is not seen, and its backward pass may be right or wrong\n"
                    "  = help: give `reference=`, a function that computes the same with tensors; `.detach()` where it is a constant"
                )
            self.by_value.append(str(_frames.place_of(_frames.user_frame())))
            return operation(*args, **kwargs)
        rule = TABLE.get(name)
        if rule is not None and rule.updates:
            return self._done(operation, rule, args, kwargs)
        if operation._schema.is_mutable:
            return self._in_place(operation, name, args, kwargs)
        if rule is None and name in RANDOM:
            return self._kept(operation(*args, **kwargs), name)
        if rule is None and name in CONSTANT:
            return operation(*args, **kwargs)
        if rule is None:
            return self._decomposed(operation, name, args, kwargs)
        return self._done(operation, rule, args, kwargs)

    def _done(self, operation, rule, args, kwargs):
        frame = _frames.user_frame()
        place = _frames.place_of(frame)
        result = operation(*args, **kwargs)
        outputs = [result] if isinstance(result, torch.Tensor) else list(result)
        if rule.fresh and (self.detach_is_same or function_around() is not None):
            return result
        if rule.fresh:
            # It shares the memory of what it was made of, and is another value.
            result = result.clone()
            outputs = [result]
        try:
            found = rule.of(self, outputs, *args, **kwargs)
        except (NotImplementedError, LookupError, TypeError, ArithmeticError):
            raise unknown_operation(f"{operation} as it is called here", place, _HOW) from None
        found = found if isinstance(found, list) else [found]
        for output, expression in zip(outputs, found):
            if isinstance(output, torch.Tensor) and expression is not None:
                self.bind(output, self._made(expression, output, place, frame, rule))
        for output in outputs[len(found) :]:
            if isinstance(output, torch.Tensor) and is_held(output):
                self.bind(output, self.held(output, "chosen"))
        return result

    def _made(self, expression, output: torch.Tensor, place, frame, rule=None) -> Value:
        """The value of an expression, which is a value itself where nothing is done."""
        if isinstance(expression, Value):
            value = expression
        else:
            value = self.program.value(expression, output.shape, place=place)
            operands = [part[0] for part in value.parts if not isinstance(part, str)]
            value.is_index = rule is not None and rule.moves and all(one.is_index for one in operands)
        is_cut = (
            not torch.is_grad_enabled()
            and output.is_floating_point()
            and any(not isinstance(part, str) for part in value.parts)
        )
        if is_cut and function_around() is None:
            value = self.program.value(call("stop_gradient", value), output.shape, place=place)
        if frame is not None and frame.f_code.co_name != "<lambda>":
            self._last[(id(frame), frame.f_code.co_filename, frame.f_lineno)] = value
        return value

    def _in_place(self, operation, name: str, args, kwargs):
        schema = operation._schema
        out = kwargs.get("out")
        target = out if out is not None else args[0]
        plain = TABLE.get(name.rstrip("_"))
        if plain is None and name.rstrip("_") in RANDOM:
            result = operation(*args, **kwargs)
            self.written(target, self.held(target, name.rstrip("_")))
            return result
        if plain is None or not isinstance(target, torch.Tensor):
            raise unknown_operation(schema.name, _frames.place_of(_frames.user_frame()), _HOW)
        if name in _TURNED_IN_PLACE:
            return self._turned(operation, plain, args, kwargs)
        frame = _frames.user_frame()
        kwargs_in = {key: value for key, value in kwargs.items() if key != "out"}
        expression = plain.of(self, [target], *args, **kwargs_in)
        expression = expression[0] if isinstance(expression, list) else expression
        place, before = _frames.place_of(frame), target.detach().clone()
        if torch.is_grad_enabled() or function_around() is not None:
            result = operation(*args, **kwargs)
            self.written(target, self._made(expression, target, place, frame))
            return result
        # Without grad its numbers change, and its gradient stays that of what was there.
        old = self.value(target)
        result = operation(*args, **kwargs)
        if not torch.equal(before, target):
            new = self.program.value(expression, target.shape, place=place)
            change = call("stop_gradient", infix(new, "-", old))
            self.written(target, self.program.value(infix(old, "+", change), target.shape, place=place))
        else:
            self.by_value.append(name)
        return result

    def _turned(self, operation, rule, args, kwargs):
        """The same memory under another shape."""
        target = args[0]
        before = target.as_strided(target.shape, target.stride(), target.storage_offset())
        result = operation(*args, **kwargs)
        expression = rule.of(self, [target], before, *args[1:], **kwargs)
        frame = _frames.user_frame()
        self.bind(target, self._made(expression, target, _frames.place_of(frame), frame, rule))
        return result

    def _decomposed(self, operation, name: str, args, kwargs):
        into = decomposition_table.get(operation)
        if into is not None:
            with self:
                result = into(*args, **kwargs)
            if result is not NotImplemented:
                return result
        with self:
            result = operation.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
        raise unknown_operation(operation._schema.name, _frames.place_of(_frames.user_frame()), _HOW)

    def _kept(self, result, name: str):
        for output in [result] if isinstance(result, torch.Tensor) else list(result):
            if isinstance(output, torch.Tensor):
                self.bind(output, self.held(output, name))
        return result

    # Names.

    def _notice_names(self) -> None:
        """What the variables of the user's frames are bound to by now."""
        frame = _frames.user_frame(2)
        for _ in range(3):
            if frame is None:
                return
            self.notice(frame.f_locals)
            frame = frame.f_back
            while frame is not None and _frames.is_library(frame.f_code.co_filename):
                frame = frame.f_back

    def notice(self, variables) -> None:
        """Names values after the variables that hold them."""
        for name, held in list(variables.items()):
            if isinstance(held, torch.Tensor) and type(held) in (torch.Tensor, torch.nn.Parameter):
                known = self._known.get(_place(held)) if held.layout == torch.strided else None
                if known is not None and known[0].hint is None and known[0].kind == "value":
                    known[0].hint = name

    def finish(self) -> None:
        """Names what a line did last after what the line assigns to."""
        for (_, file, line), value in self._last.items():
            name = _frames.assigned_at(file, line)
            if value.hint is None and value.kind == "value" and name is not None:
                value.hint = name


def _place(tensor: torch.Tensor) -> tuple:
    return (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.numel() or id(tensor))


def _covers(tensor: torch.Tensor) -> bool:
    """Are these all numbers of its memory, each once, in whatever order of axes?"""
    size = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
    held = 1
    for stride, length in sorted(zip(tensor.stride(), tensor.shape)):
        if length != 1 and stride != held:
            return tensor.numel() == size == 0
        held *= length
    return held == size


def _range(part: torch.Tensor, base: torch.Tensor) -> tuple[int, int, int] | None:
    """The axis and the range of it that a part of a tensor is, where it is one."""
    if part.numel() == 0 or not base.is_contiguous():
        return None
    offset = part.storage_offset() - base.storage_offset()
    for axis, (size, stride) in enumerate(zip(base.shape, base.stride())):
        start = offset // stride if stride else 0
        if start * stride != offset or start >= size:
            continue
        shape, strides = list(base.shape), list(base.stride())
        if part.dim() == base.dim() - 1:
            del shape[axis], strides[axis]
            if (list(part.shape), list(part.stride())) == (shape, strides):
                return axis, start, start + 1
        elif part.dim() == base.dim() and start + part.shape[axis] <= size:
            shape[axis] = part.shape[axis]
            if (list(part.shape), list(part.stride())) == (shape, strides):
                return axis, start, start + part.shape[axis]
    return None


def _shape(shape) -> str:
    return "[" + ", ".join(str(int(size)) for size in shape) + "]"


def _name_of(tensor: torch.Tensor, frame) -> str | None:
    """What a tensor that the function did not make is called where it is used."""
    seen = 0
    while frame is not None and seen < 4:
        for variables in (frame.f_locals, frame.f_globals):
            for name, held in list(variables.items()):
                if held is tensor:
                    return name
        module = frame.f_locals.get("self")
        if isinstance(module, torch.nn.Module):
            for name, held in [*module.named_parameters(), *module.named_buffers()]:
                if held is tensor:
                    return name.replace(".", "_")
        frame, seen = frame.f_back, seen + 1
    return None
