"""What Pullback found, as objects of Python: verdicts as attributes, text as the command prints it, HTML for a notebook.

Everything here is read from the JSON and the text that Pullback makes. Nothing is judged.
"""

from __future__ import annotations

import json

from ._html import terminal_html
from ._pullback import PullbackError

__all__ = ["Claim", "Item", "Report", "WrongGradient"]


class WrongGradient(PullbackError, AssertionError):
    """A gradient that does not hold; the message is the whole diagnosis.

    ``report`` is what it was found in.
    """

    def __init__(self, report: Report):
        super().__init__(str(report))
        self.report = report


class Item:
    """An object of JSON whose keys are attributes; a key that is absent is ``None``. A dash in a key is an underscore.

    >>> item = Item({"verdict": "wrong", "routes": {"finite-difference": 0.5}})
    >>> item.verdict, item.routes.finite_difference, item.diagnosis
    ('wrong', 0.5, None)
    """

    def __init__(self, values: dict):
        self._values = values

    def __getattr__(self, key: str):
        if key.startswith("__"):
            raise AttributeError(key)
        return _item(self._values.get(key, self._values.get(key.replace("_", "-"))))

    def __dir__(self):
        return [key.replace("-", "_") for key in self._values]

    def __eq__(self, other) -> bool:
        return isinstance(other, Item) and self._values == other._values

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"

    def to_dict(self) -> dict:
        """The object as it stands in the JSON."""
        return self._values


class Claim(Item):
    """A claim about a derivative with what was found of it: ``claim``, ``verdict``, ``routes``, ``diagnosis``, as in the JSON."""

    @property
    def passes(self) -> bool:
        """Whether it holds, or follows the convention at a kink."""
        verdict = self._values["verdict"]
        return verdict == "holds" or (verdict == "kink" and bool(self._values["kink"]["conventional"]))


def _item(value):
    if isinstance(value, dict):
        return Item(value)
    return [_item(one) for one in value] if isinstance(value, list) else value


class Report:
    """What a check found.

    >>> import pullback
    >>> report = pullback.check("x: [n=3] ~ randn; L = sum(x^2); dL/dx = x")
    >>> report.ok, report.claims[0].claim, report.claims[0].verdict
    (False, 'dL/dx', 'wrong')
    >>> report.claims[0].diagnosis.cause
    'missing-factor'
    >>> report.claims[0].diagnosis.fix
    '2 * x'
    """

    def __init__(self, exit_code: int, json_text: str, text: str, painted: str, source: str, places=None, remarks=()):
        #: 0 where every claim holds, 1 where one does not, 2 where what was to be checked is invalid.
        self.exit_code = exit_code
        #: The program that was judged, as text.
        self.source = source
        #: What else was seen while the function ran, each a sentence.
        self.remarks = list(remarks)
        self._json = json.loads(json_text)
        self._text, self._painted = text, painted
        if places is not None:
            _add_places(self._json, places)
        if self.remarks:
            self._json["files"][0]["remarks"] = self.remarks

    @property
    def ok(self) -> bool:
        """Whether every claim holds."""
        return self.exit_code == 0

    @property
    def claims(self) -> list[Claim]:
        """The claims, in the order of the file."""
        return [Claim(claim) for claim in self._json["files"][0]["claims"]]

    @property
    def errors(self) -> list[Item]:
        """What makes the text invalid."""
        return [Item(error) for error in self._json["files"][0].get("errors", [])]

    def claim(self, key: str) -> Claim:
        """The claim of this name: ``dL/dx``, or ``x`` alone for the gradient by x."""
        for claim in self.claims:
            if key in (claim.claim, claim.claim.split("/d")[-1]):
                return claim
        known = ", ".join(claim.claim for claim in self.claims)
        raise KeyError(f"{key}: the claims are {known}")

    def to_json(self) -> str:
        """What ``pullback check --json`` prints; a span says, as ``file`` and ``file_line``, where it stands in Python code."""
        return json.dumps(self._json, ensure_ascii=False)

    def raise_if_wrong(self) -> Report:
        """Raises ``WrongGradient`` with the whole diagnosis unless every claim holds; else returns the report."""
        if self.exit_code == 2:
            raise PullbackError(str(self))
        if not self.ok:
            raise WrongGradient(self)
        return self

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self._text + "".join(f"  note: {remark}\n" for remark in self.remarks)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return terminal_html(self._painted + "".join(f"  note: {remark}\n" for remark in self.remarks))

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}```\n"


def _add_places(value, places) -> None:
    """Says of every span where it comes from, where that is known."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("line"), int) and "start" in value:
                place = places(value["line"])
                if place is not None:
                    value["file"], value["file_line"] = place.file, place.line
            stack += value.values()
        elif isinstance(value, list):
            stack += value
