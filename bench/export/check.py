"""Runs the code that `pullback derive --code` writes against the program that it is of.

    python bench/export/check.py BINARY [FILE.grad …] [--programs bench/export/programs.txt] [--suite SUITE.jsonl] \\
        [--framework numpy|torch|jax|rust] [--candle]

Needs NumPy, PyTorch and JAX, and for Rust a toolchain; `in_rust.py` says what is done there. For each file and each framework of Python the
module is imported and run in double precision. Its forward pass is held against the numbers that `pullback run` prints, and its backward
pass against an independent witness: PyTorch's autograd and JAX's vjp of the forward pass, and for NumPy central differences of it.
`programs.txt` has one program a line, which together use every function that an export has words for; a suite has one a line too, as
JSON with `decls`, `program`, `of`, `wrt` and `sizes`.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import types

import numpy as np

from in_rust import Crate
from in_rust import gradients as rust_gradients
from in_rust import names as rust_names
from in_rust import parameters as rust_parameters

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


def ran(binary, *arguments, text=None):
    return subprocess.run([binary, *arguments], input=text, capture_output=True, text=True, timeout=120)


def drawn(binary, source, inputs):
    """The numbers of the inputs, as `pullback run` has them: copies of them are definitions, which it prints."""
    copies = "\n".join(f"copy_of_{name} = 1 * {name}" for name in inputs)
    out = ran(binary, "run", "--json", "-", text=f"{source}\n{copies}\n")
    report = json.loads(out.stdout)
    values = {}
    for one in report["definitions"]:
        values[one["name"]] = np.array(one["values"], float).reshape(one["shape"])
    return values


def module(code, name):
    made = types.ModuleType(name)
    exec(compile(code, name, "exec"), made.__dict__)
    return made


# How far differences are off, and numbers of a program in single precision; and how far rounding goes: constants in single precision are
# further.
ROUGHLY, ROUNDING = 1e-5, 1e-10


def close(a, b, within=ROUNDING):
    a, b = np.asarray(a, float), np.asarray(b, float)
    scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= within * scale))


def parameters(code):
    return [name.strip() for name in re.search(r"^def forward\((.*)\):", code, re.M).group(1).split(",") if name.strip()]


def returned(code):
    return re.search(r'"""The gradients by (.*); `grads`', code).group(1).split(", ")


def differences(forward, values, at, cotangent):
    """Σ cotangent · ∂output/∂input by central differences."""
    x = np.array(values[at], float)
    gradient = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        step = 1e-6 * max(1.0, abs(x[place]))
        sides = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            sides.append(np.asarray(forward(*[moved if k == at else value for k, value in enumerate(values)])[0], float))
        gradient[place] = np.sum(cotangent * (sides[0] - sides[1])) / (2 * step)
    return gradient


def own_gradients(binary, source, output, cotangent, wrt):
    """What Pullback computes them to be."""
    loss = f"cotangent_of_it: {list(cotangent.shape)} = {cotangent.tolist()}\nloss_of_it = sum(cotangent_of_it * {output})"
    asked = "\n".join(f"gradient_{k} = grad(loss_of_it, {name})" for k, name in enumerate(wrt))
    own = drawn(binary, f"{source}\n{loss}\n{asked}", [])
    return [own[f"gradient_{k}"] for k in range(len(wrt))]


def judge(binary, path, source, framework, extra):
    arguments = ["derive", path, "--code", framework, *extra]
    if framework == "torch":
        arguments.append("--autograd-function")
    out = ran(binary, *arguments)
    if out.returncode:
        return None, (out.stderr.strip().splitlines() or ["no code"])[0]
    code = out.stdout
    names = parameters(code)
    plain = [name.rstrip("_") for name in names]
    numbers = drawn(binary, source, plain)
    values = [numbers[f"copy_of_{name}"] for name in plain]
    integer = [np.all(value == np.floor(value)) and re.search(rf"^{name}: .*randint", source, re.M) is not None for name, value in zip(plain, values)]
    output = re.search(r"`grads` is that of (\w+)", code).group(1)
    wrt = returned(code)
    stated = ROUGHLY if re.search(r"^dtype f32", source, re.M) else ROUNDING
    rng = np.random.default_rng(0)
    cotangent = rng.standard_normal(numbers[output].shape)
    if framework == "torch":
        import torch

        made = module(code, "layer")
        tensors = [torch.tensor(v.astype(int)) if whole else torch.tensor(v, requires_grad=True) for v, whole in zip(values, integer)]
        result, saved = made.forward(*tensors)
        if not close(result.detach().numpy(), numbers[output], stated):
            return False, "the forward pass differs"
        of = [t for t, name in zip(tensors, plain) if name in wrt]
        expected = torch.autograd.grad(result, of, torch.tensor(cotangent), allow_unused=True)
        expected = [np.zeros(t.shape) if e is None else e.detach().numpy() for t, e in zip(of, expected)]
        detached = tuple(s.detach() if torch.is_tensor(s) else s for s in saved)
        got = [g.detach().numpy() for g in made.backward(detached, torch.tensor(cotangent))]
        again = [t.detach().requires_grad_() if t.is_floating_point() else t for t in tensors]
        made.Layer.apply(*again).backward(torch.tensor(cotangent))
        by_function = [t.grad.numpy() for t, name in zip(again, plain) if name in wrt]
        order = [name for name in plain if name in wrt]
        got = [got[wrt.index(name)] for name in order]
        if not all(close(a, b) for a, b in zip(by_function, expected)):
            return False, "the autograd function differs"
    elif framework == "jax":
        import jax
        import jax.numpy as jnp

        made = module(code, "layer")
        arrays = [jnp.asarray(v.astype(int)) if whole else jnp.asarray(v) for v, whole in zip(values, integer)]
        order = [name for name in plain if name in wrt]
        free = [k for k, name in enumerate(plain) if name in wrt]

        def of(*chosen):
            full = list(arrays)
            for k, value in zip(free, chosen):
                full[k] = value
            return full

        result, pull = jax.vjp(lambda *c: made.forward(*of(*c))[0], *[arrays[k] for k in free])
        if not close(result, numbers[output], stated):
            return False, "the forward pass differs"
        expected = pull(jnp.asarray(cotangent))
        _, own = jax.vjp(lambda *c: made.layer(*of(*c)), *[arrays[k] for k in free])
        if not all(close(a, b) for a, b in zip(own(jnp.asarray(cotangent)), expected)):
            return False, "the custom_vjp differs"
        gradients = made.backward(made.forward(*arrays)[1], jnp.asarray(cotangent))
        got = [gradients[wrt.index(name)] for name in order]
    else:
        made = module(code, "layer")
        arrays = [v.astype(int) if whole else v for v, whole in zip(values, integer)]
        result, saved = made.forward(*arrays)
        if not close(result, numbers[output], stated):
            return False, "the forward pass differs"
        gradients = made.backward(saved, cotangent)
        order = [name for name in plain if name in wrt]
        got = [gradients[wrt.index(name)] for name in order]
        if "stop_gradient" in source:
            # Differences go through it: here Pullback's own numbers are the witness.
            expected = own_gradients(binary, source, output, cotangent, order)
        else:
            expected = [differences(made.forward, arrays, plain.index(name), cotangent) for name in order]
    within = ROUGHLY if framework == "numpy" else ROUNDING
    for name, a, b in zip(order, got, expected):
        if not close(a, b, within):
            return False, f"the gradient by {name} differs"
    return True, ""


def in_rust(binary, cases, candle):
    """The same of Rust, all programs in one crate: how many are right, and how many have no code; each of the others is printed."""
    right = none = 0
    with tempfile.TemporaryDirectory() as folder:
        crate = Crate(os.environ.get("EXPORTED_CRATE", folder), candle)
        for name, source, extra in cases:
            with tempfile.NamedTemporaryFile("w", suffix=".grad", delete=False) as file:
                file.write(source)
            out = ran(binary, "derive", file.name, "--code", "rust", *extra)
            with_candle = ran(binary, "derive", file.name, "--code", "rust", "--candle", *extra) if candle else None
            os.unlink(file.name)
            if out.returncode:
                none += 1
                print(f"rust   {name}: no code, {(out.stderr.strip().splitlines() or ['?'])[0]}")
                continue
            code = with_candle.stdout if with_candle and not with_candle.returncode else out.stdout
            known = rust_names(source)
            inputs = [known[name.strip("_")] for name, _ in rust_parameters(code)[0]]
            output = re.search(r"`grads` is that of (\w+)", code).group(1)
            numbers = drawn(binary, source, inputs)
            cotangent = np.random.default_rng(0).standard_normal(numbers[output].shape)
            wrt = [known[name.rstrip("_")] for name, _ in rust_gradients(code)]
            own = own_gradients(binary, source, output, cotangent, wrt)
            expected = {"output": numbers[output]} | {f"gradient {k}": one for k, one in enumerate(own)}
            crate.add(name, code, [numbers[f"copy_of_{name}"] for name in inputs], cotangent, expected)
        wrong = 0
        for name, why in crate.run():
            right += not why
            wrong += bool(why)
            if why:
                print(f"rust   {name}: WRONG, {why}")
        print(f"rust   {len(cases)} programs: {right} right, {none} without code, {wrong} wrong")
        return wrong


def suite_source(record):
    sizes, seen = record["sizes"], set()

    def dims(text):
        def dim(d):
            d = d.strip()
            if re.fullmatch(r"[A-Z]\w*", d) and d not in seen:
                seen.add(d)
                return f"{d}={sizes[d]}"
            return d

        return re.sub(r"\[([^\]]*)\]", lambda m: "[" + ", ".join(dim(d) for d in m.group(1).split(",") if d.strip()) + "]", text, count=1)

    lines = []
    for declared in record["decls"]:
        line = dims(declared)
        line = line.replace("~ onehot", "~ rand") if "~" in line else line + " ~ randn"
        lines.append(line)
    return "\n".join(lines + record["program"]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--programs")
    parser.add_argument("--suite")
    parser.add_argument("--framework", action="append")
    parser.add_argument("--candle", action="store_true")
    wanted = parser.parse_args()
    frameworks = wanted.framework or ["numpy", "torch", "jax", "rust"]
    cases = [(name, open(name).read(), []) for name in wanted.files]
    if wanted.programs:
        lines = [line.strip() for line in open(wanted.programs) if line.strip()]
        cases += [(line, line.replace("; ", "\n") + "\n", []) for line in lines]
    if wanted.suite:
        for line in open(wanted.suite):
            record = json.loads(line)
            if record["kind"] == "gradient":
                cases.append((record["id"], suite_source(record), ["--of", record["of"], "--wrt", record["wrt"]]))
    failed = 0
    for framework in frameworks:
        if framework == "rust":
            failed += in_rust(wanted.binary, cases, wanted.candle)
            continue
        right = none = 0
        for name, source, extra in cases:
            with tempfile.NamedTemporaryFile("w", suffix=".grad", delete=False) as file:
                file.write(source)
            try:
                verdict, why = judge(wanted.binary, file.name, source, framework, extra)
            except Exception as error:  # what the code does is what is asked
                verdict, why = False, f"{type(error).__name__}: {error}"
            finally:
                os.unlink(file.name)
            right += verdict is True
            none += verdict is None
            if verdict is not True:
                failed += verdict is False
                print(f"{framework:6} {name}: {'no code, ' if verdict is None else 'WRONG, '}{why}")
        print(f"{framework:6} {len(cases)} programs: {right} right, {none} without code, {len(cases) - right - none} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
