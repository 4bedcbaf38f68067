"""The plugin of pytest: ``--pullback-html=report.html`` writes what ``assert_gradients`` found, of all tests, into one page.

A test that fails needs no plugin: the message of the error is the whole diagnosis.
"""

from __future__ import annotations

import html
from pathlib import Path


def pytest_addoption(parser) -> None:
    group = parser.getgroup("pullback")
    group.addoption("--pullback-html", metavar="FILE", help="write every check of gradients into a page of HTML")


def pytest_configure(config) -> None:
    if config.getoption("--pullback-html"):
        config.pluginmanager.register(_Page(config.getoption("--pullback-html")), "pullback-page")


class _Page:
    """Every report with the test that made it."""

    def __init__(self, file: str):
        self.file, self.found, self.test = file, [], ""

    def pytest_sessionstart(self) -> None:
        from . import _sessions

        _sessions._observers.append(self._observe)

    def pytest_runtest_setup(self, item) -> None:
        self.test = item.nodeid

    def _observe(self, report) -> None:
        self.found.append((self.test, report))

    def pytest_sessionfinish(self) -> None:
        from . import _sessions

        _sessions._observers.remove(self._observe)
        wrong = sum(not report.ok for _, report in self.found)
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gradients</title></head><body>',
            f"<h1>Gradients</h1><p>{len(self.found)} checks, {wrong} of them failed.</p>",
        ]
        for test, report in sorted(self.found, key=lambda one: one[1].ok):
            mark = "✓" if report.ok else "✗"
            parts.append(f"<details{'' if report.ok else ' open'}><summary>{mark} {html.escape(test)}</summary>")
            parts.append(f"{report._repr_html_()}<pre>{html.escape(report.source)}</pre></details>")
        Path(self.file).write_text("".join([*parts, "</body></html>\n"]), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter) -> None:
        terminalreporter.write_line(f"gradients: {len(self.found)} checks in {self.file}")
