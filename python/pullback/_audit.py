"""What an audit finds: which parameters a loss reaches, and where and by what the path to the others is cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._program import Place

__all__ = ["Audit", "Cut", "Parameter"]


@dataclass(frozen=True)
class Cut:
    """Where a path ends that numbers go along and no gradient does."""

    #: ``detach``, ``no_grad``, ``integer``, ``function`` or ``data``; of JAX ``stop_gradient``, ``integer``, ``constant`` or ``zeros``.
    by: str
    #: The operation, or the function.
    operation: str
    place: Place | None

    def __str__(self) -> str:
        what = {
            "detach": "`detach`",
            "no_grad": f"`{self.operation}` without grad",
            "integer": f"`{self.operation}`, which gives integers",
            "function": f"the backward pass of `{self.operation}`, which returned None",
            "data": "`.data`, or another tensor of the same memory",
            "stop_gradient": "`stop_gradient`",
            "constant": f"`{self.operation}`, whose slope is zero wherever it has one",
            "zeros": f"the backward pass of `{self.operation}`, which returned zeros",
        }[self.by]
        return f"{what} ({self.place})" if self.place is not None else what


@dataclass(frozen=True)
class Parameter:
    """A parameter, and what the loss has to do with it."""

    name: str
    #: Does a gradient come back to it?
    reached: bool
    #: Does it, and is it zero in every entry?
    is_zero: bool = False
    #: Where it does not although the loss depends on it: where the paths are cut.
    cuts: tuple[Cut, ...] = ()

    def __str__(self) -> str:
        if self.reached:
            return f"  ✓ {self.name}" + ("  (its gradient is zero here, in every entry)" if self.is_zero else "")
        if not self.cuts:
            return f"  ✗ {self.name}  the loss does not depend on it"
        return f"  ✗ {self.name}  cut by " + ", and by ".join(map(str, self.cuts))


@dataclass
class Audit:
    """What was found of every parameter."""

    parameters: list[Parameter] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Does a gradient come back to every parameter?"""
        return all(parameter.reached for parameter in self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        return next(parameter for parameter in self.parameters if parameter.name == name)

    def __str__(self) -> str:
        lost = sum(not parameter.reached for parameter in self.parameters)
        lines = [str(parameter) for parameter in self.parameters]
        return "\n".join([*lines, f"  {len(self.parameters)} parameters: {lost or 'none'} not reached"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from ._html import terminal_html

        return terminal_html(str(self))
