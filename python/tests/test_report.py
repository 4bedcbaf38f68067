"""Reports, notebooks and the plugin of pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pullback
from pullback import _notebook

WRONG = "x: [n=3] ~ randn\nL = sum(x^2)\ndL/dx = x\n"


def test_attributes_are_the_keys_of_the_json():
    report = pullback.check(WRONG)
    claim, stated = report.claims[0], json.loads(report.to_json())["files"][0]["claims"][0]
    for key, value in stated.items():
        found = getattr(claim, key.replace("-", "_"))
        assert (found.to_dict() if hasattr(found, "to_dict") else found) == value or isinstance(value, list)
    assert claim.routes.finite_difference == stated["routes"]["finite-difference"]
    assert claim.no_such_key is None
    with pytest.raises(KeyError, match="dL/dx"):
        report.claim("w")


def test_what_passes_is_what_the_exit_code_says():
    kink = "x = [0, 1]\nL = sum(relu(x))\ndL/dx = "
    for claimed, verdict, passes in (("step(x)", "kink", True), ("[0.5, 1]", "kink", False), ("2 * x", "wrong", False)):
        report = pullback.check(kink + claimed)
        assert (report.claims[0].verdict, report.claims[0].passes, report.ok) == (verdict, passes, passes)


def test_a_wrong_gradient_raises_the_whole_diagnosis():
    with pytest.raises(pullback.WrongGradient, match="write `dL/dx = 2 \\* x`") as caught:
        pullback.assert_gradients(WRONG)
    assert isinstance(caught.value, AssertionError) and caught.value.report.exit_code == 1


def test_files_are_read_from_their_folder(tmp_path):
    import numpy as np

    np.save(tmp_path / "x.npy", np.ones(3))
    path = tmp_path / "a.grad"
    path.write_text('x = load("x.npy")\nL = sum(x^2)\ndL/dx = 2 * x\n')
    assert pullback.check(path).ok
    with pytest.raises(pullback.PullbackError, match="cannot read"):
        pullback.check(Path("nowhere.grad"))
    np.savez(tmp_path / "d.npz", **{"x": np.ones(3), "dL/dx": np.ones(3)})
    assert pullback.check("x: [3] ~ randn; L = sum(x^2)", data=str(tmp_path / "d.npz")).claims[0].verdict == "wrong"


def test_html_has_the_text_and_no_tags_of_the_source():
    report = pullback.check("x: [3] ~ randn # <script>\nL = sum(x^2)\ndL/dx = x # <script>")
    assert "<script" not in report._repr_html_() and "missing factor" in report._repr_html_()


def test_the_magic_does_what_it_is_told():
    assert _notebook.grad("", WRONG).exit_code == 1
    assert _notebook.grad("", "x = [1, 2]\nL = sum(x / 2)")["L"] == 1.5
    assert "2 * x" in str(_notebook.grad("derive x", "x: [3] ~ randn\nL = sum(x^2)"))
    assert _notebook.grad("jacobian y x", "x: [3] ~ randn\ny = 2 * x").array.shape == (3, 3)
    with pytest.raises(ValueError, match="derive"):
        _notebook.grad("nonsense", WRONG)


def test_the_plugin_writes_a_page(tmp_path):
    test = (
        "import pullback\n\ndef test_a():\n    pullback.assert_gradients('x: [3] ~ randn; L = sum(x^2); dL/dx = x')\n"
    )
    (tmp_path / "test_a.py").write_text(test)
    page = tmp_path / "report.html"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pullback._pytest", f"--pullback-html={page}", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 1 and "the factor `2` is missing here" in found.stdout
    assert "test_a.py::test_a" in page.read_text(encoding="utf-8") and "missing factor" in page.read_text(
        encoding="utf-8"
    )


def test_wrong_uses_say_so():
    with pytest.raises(TypeError, match="str, a pathlib.Path"):
        pullback.run(3)
    with pytest.raises(TypeError, match="data"):
        pullback.check(WRONG, 3)
    with pytest.raises(pullback.PullbackError, match="no value"):
        pullback.jacobian("x = [1, 2]; L = sum(x)", of="y", wrt="x")
