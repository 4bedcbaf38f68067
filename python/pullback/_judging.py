"""A traced function and the numbers of another one, handed to Pullback together."""

from __future__ import annotations

from . import _pullback
from ._program import _free
from ._report import Report
from ._traced import Traced


def loss_name(traced: Traced) -> str:
    """The name of a loss whose cotangents are given: `L`, unless the program has something of that name."""
    return _free("L", {value.name for value in traced._program.values if value.name})


def judge(traced: Traced, name: str, cotangents, data, asked, precision, remarks) -> Report:
    """Judges numbers by a traced program.

    ``cotangents`` are the shapes of those that are given, by the names of their outputs; ``data`` has all numbers by name; ``asked`` is
    the function on other numbers. Where a cause is not known it is sought once more in the program with a statement for each
    operation, since causes are found among values that have names.
    """
    loss = loss_name(traced)
    given = "".join(f"\nd{loss}/d{output}: {list(shape)} ~ randn" for output, shape in cotangents)
    reports = []
    for spelt_out in (False, True):
        source = (traced.spelt_out() if spelt_out else traced.text()) + given + "\n"
        result = _pullback.check(
            f"{name}.grad",
            source,
            ".",
            dump=name,
            data=data,
            computed=precision,
            complete=True,
            function=None if traced.by_value else asked,
        )
        reports.append(Report(*result, source=source, places=traced.place, remarks=remarks))
        if not unknown(reports[-1]):
            break
    return min(reports, key=unknown)


def unknown(report: Report) -> int:
    """How many claims are wrong for no reason that is known."""
    return sum(claim.diagnosis is not None and claim.diagnosis.cause == "unknown" for claim in report.claims)
