"""The command that the wheel ships is the command; Ctrl-C ends what is under way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import pullback

COMMAND = [sys.executable, "-m", "pullback"]


def run(*arguments, text=None):
    return subprocess.run([*COMMAND, *arguments], input=text, capture_output=True, text=True)


def test_check_prints_what_the_package_does():
    text = "x: [n=3] ~ randn\nL = sum(x^2)\ndL/dx = x\n"
    found = run("check", "-", text=text)
    report = pullback.check(text)
    assert found.returncode == 1 == report.exit_code
    assert found.stdout == str(report).replace("<source>", "<stdin>")
    as_json = json.loads(run("check", "--json", "-", text=text).stdout)
    assert as_json["files"][0]["claims"] == json.loads(report.to_json())["files"][0]["claims"]


def test_exit_codes():
    assert run("check", "-", text="x = [1, 2]; L = sum(x^2); dL/dx = 2 * x").returncode == 0
    assert run("check", "-", text="x = [").returncode == 2
    assert run("nonsense").returncode == 2 and run("--version").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_ends_a_check():
    # Done to its end it takes half a minute.
    lines = ["x: [64, 64] ~ randn", "h0 = tanh(x)"]
    lines += [f"h{k} = tanh(h{k - 1} @ x / 8 + h{k - 1})" for k in range(1, 80)]
    source = "\n".join([*lines, "L = sum(h79^2)", "dL/dx = x", "dL/dh3 = h3"])

    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        pullback.check(source)
    # Nothing of it is left: the next one is done.
    assert pullback.check("x = [1, 2]; L = sum(x^2); dL/dx = 2 * x").ok
