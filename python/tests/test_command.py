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
    source = "x: [64, 64] ~ randn\n" + "".join(
        f"{'x' if k == 0 else 'h'}{k if k else '0'} = tanh({'x' if k == 0 else ('x' if k == 1 else 'h')}{'' if k == 0 else (0 if k == 1 else k - 1)} @ x)\n"
        for k in range(60)
    )
    source += "L = sum(h59^2)\ndL/dx = x\n"

    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(1000):
            pullback.check(source)
