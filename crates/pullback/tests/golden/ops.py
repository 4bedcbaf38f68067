"""Golden data of the ops: what PyTorch gives, for Pullback to be compared with.

Run with Python 3.11, PyTorch 2.15.0 (CPU) and NumPy 2.4.6:

    python ops.py            writes ops.json (of ops_cases.py) and vocabulary.json (of vocabulary_cases.py) beside this file
    python ops.py --check    writes nothing; fails if these are not what this script gives, to the bit
                             (another processor may round matrix products otherwise)
    python ops.py vocabulary writes that one alone

Each case is an expression of the `.grad` language beside the same thing said in PyTorch, in float64:

    name       unique; the first word groups the cases (most often the op), the rest tells them apart
    call       the expression, in terms of the inputs' names
    inputs     {name: {shape, data}}; `"dtype": "int64"` marks integers, which are not differentiated
    output     f(x)
    cotangent  ȳ, of the output's shape
    vjp        {name: Jᵀ ȳ}
    tangent    {name: t}, for every differentiable input
    jvp        J t, the sum over the inputs
    hvp        {name: ∂⟨ȳ, J(x) t⟩/∂x}: second order, ȳ and t held
    kink       true where f has no derivative at a given point; the numbers are PyTorch's convention there

`data` is row-major. Python prints the shortest decimal that reads back as the same float64 (17 digits
at most), so nothing is lost in the file.

Nothing is written that has one witness only: reverse mode (vjp) is held against forward mode (jvp) by
⟨ȳ, J t⟩ = ⟨Jᵀ ȳ, t⟩, and away from kinks all three derivatives against central differences.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np
import torch

import ops_cases
import vocabulary_cases

HERE = Path(__file__).parent
TARGETS = {"ops": ops_cases, "vocabulary": vocabulary_cases}
KINKS = ops_cases.KINKS | vocabulary_cases.KINKS

# Central differences with step h err by about h² f''' + ε|f|/h: 1e-10 + 1e-11 at h = 1e-5, times the
# third derivatives of f (for hvp: the fourth), which stay below a thousand on these samples.
STEP = 1e-5
TOLERANCE = 1e-6


def draw(rng, like):
    """Random directions with few digits: nothing depends on their values, and the file stays small."""
    return torch.tensor(np.round(rng.standard_normal(tuple(like.shape)), 3), dtype=torch.float64)


def dot(left, right):
    return sum((left[name] * right[name]).sum() for name in left)


def derivatives(f, inputs, cotangent, tangent):
    """vjp, jvp and hvp of f at the inputs; `tangent` names what is differentiated."""
    leaves = {name: inputs[name].clone().requires_grad_() for name in tangent}
    arguments = {**inputs, **leaves}
    names = list(leaves)

    def pull(value, create_graph):
        grads = torch.autograd.grad(value, list(leaves.values()), create_graph=create_graph, allow_unused=True)
        # Where there is no path, and where PyTorch knows a gradient to be zero, it stores no numbers.
        stored = [g is not None and not g._is_zerotensor() for g in grads]
        return {n: g if s else torch.zeros(leaves[n].shape) for n, g, s in zip(names, grads, stored)}

    vjp = pull((f(**arguments) * cotangent).sum(), create_graph=True)
    slope = dot(vjp, tangent)
    # Linear in every input: the vjp is a constant, and its derivative zero.
    if slope.requires_grad:
        hvp = pull(slope, create_graph=False)
    else:
        hvp = {n: torch.zeros_like(leaves[n]) for n in names}

    fixed = {n: v for n, v in inputs.items() if n not in tangent}
    _, jvp = torch.func.jvp(
        lambda *xs: f(**dict(zip(names, xs)), **fixed),
        tuple(inputs[n] for n in names),
        tuple(tangent[n] for n in names),
    )
    return {n: v.detach() for n, v in vjp.items()}, jvp.detach(), hvp


def close(got, want, what):
    error = (got - want).abs().max().item() if got.numel() else 0.0
    scale = 1.0 + want.abs().max().item() if want.numel() else 1.0
    assert error <= TOLERANCE * scale, f"{what}: off by {error:.1e}"


def cross_check(name, f, inputs, cotangent, tangent, vjp, jvp, hvp):
    adjoint = abs(((cotangent * jvp).sum() - dot(vjp, tangent)).item())
    scale = 1.0 + (cotangent * jvp).abs().sum().item()
    assert adjoint <= 1e-12 * scale, f"{name}: ⟨ȳ, J t⟩ and ⟨Jᵀ ȳ, t⟩ differ by {adjoint:.1e}"
    if name in KINKS:
        return

    def moved(along, by):
        return {n: v + by * along[n] if n in along else v for n, v in inputs.items()}

    numeric = (f(**moved(tangent, STEP)) - f(**moved(tangent, -STEP))) / (2 * STEP)
    close(jvp, numeric, f"{name}: jvp")
    # hvp is the gradient of ⟨vjp, t⟩: its product with a direction s is the change of that number along s.
    rng = np.random.default_rng(1)
    along = {n: draw(rng, v) for n, v in tangent.items()}
    ahead = derivatives(f, moved(along, STEP), cotangent, tangent)[0]
    behind = derivatives(f, moved(along, -STEP), cotangent, tangent)[0]
    close(dot(hvp, along), (dot(ahead, tangent) - dot(behind, tangent)) / (2 * STEP), f"{name}: hvp")


def plain(tensor):
    result = {"shape": list(tensor.shape), "data": tensor.reshape(-1).tolist()}
    if not tensor.is_floating_point():
        result["dtype"] = "int64"
    return result


def case(name, call, f, inputs):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    inputs = {n: torch.as_tensor(v) for n, v in inputs.items()}
    output = f(**inputs)
    cotangent = draw(rng, output)
    tangent = {n: draw(rng, v) for n, v in inputs.items() if v.is_floating_point()}
    vjp, jvp, hvp = derivatives(f, inputs, cotangent, tangent)
    cross_check(name, f, inputs, cotangent, tangent, vjp, jvp, hvp)
    result = {
        "name": name,
        "call": call,
        "inputs": {n: plain(v) for n, v in inputs.items()},
        "output": plain(output),
        "cotangent": plain(cotangent),
        "vjp": {n: plain(v) for n, v in vjp.items()},
        "tangent": {n: plain(v) for n, v in tangent.items()},
        "jvp": plain(jvp),
        "hvp": {n: plain(v) for n, v in hvp.items()},
    }
    if name in KINKS:
        result["kink"] = True
    return result


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    names = [name for cases in TARGETS.values() for name, *_ in cases.CASES]
    assert len(set(names)) == len(names), "two cases share a name"
    assert KINKS <= set(names), "a kink names no case"
    wanted = [argument for argument in sys.argv[1:] if argument != "--check"]
    for target in wanted or TARGETS:
        cases = [case(*row) for row in TARGETS[target].CASES]
        text = "[\n" + ",\n".join(json.dumps(c, allow_nan=False) for c in cases) + "\n]\n"
        file = HERE / f"{target}.json"
        if "--check" in sys.argv[1:]:
            if file.read_text() != text:
                sys.exit(f"{file.name} is not what this script gives")
        else:
            file.write_text(text)
        print(f"{file.name}: {len(cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
