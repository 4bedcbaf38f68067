"""A program as dumps: its inputs, some values and gradients, as PyTorch computed them in each precision, and slips beside.

An entry is named `bf16|dL/dW`: the precision, and the name that it has in a dump. `bf16|dL/dW:tail` is a wrong one, by kind.
"""

import torch

import perturb
from files import FACTOR, is_told, is_zero
from scene import PRECISIONS

# A gradient whose largest entry is not so many times the rounding that was seen may be said to have too few digits: what is
# allowed for lies above what is seen, and a derivative has to stand out of that.
DIGITS = 50

# In 16 bits a short sum may be added up in these by a real implementation, as PyTorch's own LayerNorm does on a CPU: the trials, which
# add up in 32, see a part of that alone. So a multiple is one that no such sum explains.
MULTIPLE_OF_16_BITS = 0.5


def dump_of(program, scene):
    """All entries, and by precision the keys of gradients that are zero within rounding."""
    rng = program.rng
    entries, zero = {}, {}
    for precision, dtype in PRECISIONS.items():
        if precision not in scene.precise:
            continue
        precise = scene.precise[precision]
        names = [claim.name for claim in scene.claims if claim.name not in scene.unlike]
        if not names:
            continue
        shown = [name for name in program.nodes if rng.random() < 0.2]
        stored = torch.float32 if dtype.itemsize == 2 and rng.random() < 0.3 and is_evident(precise, dtype) else dtype

        def put(name, v):
            entries[f"{precision}|{name}"] = (v.to(stored) if v.is_floating_point() else v).detach().contiguous().clone()

        for name, given in program.inputs.items():
            v = precise.inputs[name]
            put(name, v.to(torch.uint8) if given.kind == "mask" and rng.random() < 0.2 else v)
        if "G" in precise.inputs:
            put(f"dL/d{program.output}", precise.inputs["G"])
        for name in shown:
            if is_shown(scene, precise, name):
                put(name, precise.run.of(name))
        if program.ending != "given" and rng.random() < 0.3 and is_shown(scene, precise, "L"):
            put("L", precise.run.of("L").reshape(rng.choice([[], [1]])))
        zero[precision] = []
        chosen = [name for name in names if name in program.inputs or rng.random() < 0.3] or names[:1]
        for name in chosen:
            put(f"dL/d{name}", precise.gradients[name])
            if is_zero(scene.golden[name], scene.noise[precision][name] + scene.noise["f32"][name], DIGITS):
                zero[precision].append(f"dL/d{name}")
        if not precise.near:
            told = [name for name in chosen if f"dL/d{name}" not in zero[precision]]
            rng.shuffle(told)
            for name in told[:1]:
                slip = wrong(rng, precise.gradients[name], scene.noise[precision][name], dtype)
                if slip:
                    put(f"dL/d{name}:{slip[0]}", slip[1])
    return entries, zero


def is_shown(scene, precise, name):
    """Whether a value may stand in a dump: what terms leave that cancel is noise, of which each code has its own, f64 too."""
    cancelled = precise.cancelled | scene.precise["f32"].cancelled
    return name not in cancelled and bool(precise.run.of(name).isfinite().all())


def is_evident(precise, dtype):
    """Whether 16-bit numbers that are held in 32 bits show what they are: those of one input do, by themselves."""
    return any(shows(v, dtype) for v in precise.inputs.values() if v.is_floating_point())


def shows(numbers, dtype):
    """Whether numbers are rounded to a format, as anyone can see: several differ, and use the last bit that there is."""
    numbers = numbers.to(torch.float64).abs().unique()
    numbers = numbers[numbers >= torch.finfo(dtype).tiny]
    kept = 1 - int(torch.log2(torch.tensor(torch.finfo(dtype).eps)))
    mantissa, exponent = torch.frexp(numbers)
    last = (mantissa * 2.0**kept).remainder(2) == 1
    # Numbers of one size may as well be multiples of a simple fraction.
    return int(last.sum()) >= 4 and int(exponent.max() - exponent[last].min()) >= 2


def wrong(rng, right, noise, dtype):
    """A slip that rounding does not explain, in the numbers of the precision."""
    g = right.to(torch.float64)
    if not g.any():
        return None
    # The result is rounded once at least, even where the trials were exact by luck.
    noise = max(noise, torch.finfo(dtype).eps / 2 * float(g.abs().max()))
    kinds = [*perturb.SLIPS, "multiple", "multiple"]
    rng.shuffle(kinds)
    for kind in kinds:
        if kind == "multiple":
            least = MULTIPLE_OF_16_BITS if dtype.itemsize == 2 else 0.001
            factor = 1 + max(least, 1.2 * FACTOR * noise / float(g.abs().max()))
            changed = g * factor
        else:
            changed = perturb.SLIPS[kind](rng, g)
        if changed is None:
            continue
        changed = changed.to(dtype).to(torch.float64)
        if is_told(g, changed, noise, 9e-4 if kind == "multiple" else 0.01):
            return kind, changed.to(dtype)
    return None
