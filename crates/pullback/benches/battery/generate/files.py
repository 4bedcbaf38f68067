"""A program as a file: its claims, right and wrong, as text.

A wrong claim is told from the right one by numbers that are far beyond what evaluation in this precision rounds, or it is left
out: see `is_told`. Where the file draws its inputs, a wrong formula that agrees with the right one on these numbers by
accident is kept, if it is off on others: a check has to draw anew.
"""

import torch

import perturb
from claims import claims_of, summed, written_out
from expression import ATOM, E, literal, written
from kinks import Slopes
from program import Unfit

# A difference is told where it is at least so many times what rounding moved in the trials, since those are a few of many.
FACTOR = 20
# A claim of an f64 file is off by this share at least: differences reach about 1e-7 of an entry where the program is tame.
SHARE = 1e-4
# In f64 everything is as much closer as its last digit is smaller than that of f32.
DOUBLE = 2.0**-29
# A loss of about 1 is rounded by more than slopes as small as this move it: no difference shows them.
LEAST_SLOPE = 1e-11


class Written:
    """What is said of a file: the right text, wrong claims by kind, and claims that are zero."""

    def __init__(self, header, right, wrong, zero):
        self.header, self.right, self.wrong, self.zero = header, right, wrong, zero

    def text(self):
        lines = [*self.header, "", "# claims"]
        lines += [f"{key} = {expression}" for key, expression in self.right]
        lines += [f"#wrong {kind}: {key} = {expression}" for kind, key, expression in self.wrong]
        lines += [f"#zero {precision}: {' '.join(keys)}" for precision, keys in self.zero.items() if keys]
        return "\n".join(lines) + "\n"


def file_of(program, scene):
    style, rng = scene.style, program.rng
    claims = scene.claims
    right, wrong, zero = [], [], []
    texts = {}
    for claim in claims:
        golden = scene.golden[claim.name]
        slopes = Slopes(program, scene, claim.name) if scene.kinked else None
        if slopes and (slopes.is_ambiguous() or slopes.exclude(golden)):
            return None
        if slopes and slopes.contradict(golden) and not slopes.fit_together():
            return None
        share = claim.expression.value
        if slopes and slopes.contradict(golden):
            # Smooth, and made of kinks that do not compose: what differentiation operation by operation gives is wrong.
            if claim.name not in scene.style.untold:
                wrong.append(("convention", claim.key, literal(golden).text))
            scene.unlike.add(claim.name)
            if slopes.contradict(share) or claim.name in scene.style.untold:
                if claim.name in program.nodes:
                    return None
                continue
            numbers = literal(share.to(scene.file_dtype())).text
            texts[claim.name] = numbers if claim.name in scene.style.numbers else claim.expression.text
        else:
            if share.shape != golden.shape:
                # The rule sums over the wrong axes where a size of 1 is stretched twice: nothing is claimed by it.
                raise Unfit("a rule that does not fit the shape")
            if not close(share, golden):
                raise AssertionError(f"{program.seed}: {claim.key} = {claim.expression.text}: {share} is not {golden}")
            if claim.name in scene.style.untold:
                continue
            texts[claim.name] = written_out(claim, style, scene.golden_in_file[claim.name])
        right.append((claim.key, texts[claim.name]))
        if is_zero(golden, scene.noise["f32"].get(claim.name)):
            zero.append(claim.key)
    if not right:
        raise Unfit("nothing is claimed")
    unlike = scene.unlike | scene.style.untold
    candidates = [claim for claim in claims if claim.key not in zero and claim.name not in unlike]
    rng.shuffle(candidates)
    for claim in candidates[:3]:
        found = slip(program, scene, claim)
        if found:
            wrong.append(found)
    for claim in scene.derivatives:
        right.append((claim.key, literal(claim.numbers).text))
        if is_zero(claim.numbers, claim.noise):
            zero.append(claim.key)
            continue
        kind = rng.choice(list(perturb.SLIPS))
        changed = perturb.SLIPS[kind](rng, claim.numbers)
        if changed is not None and is_told(claim.numbers, changed, claim.noise * DOUBLE, 0.01):
            wrong.append((kind, claim.key, literal(changed).text))
    return Written(program.header(scene.inputs, scene.run.texts), right, wrong, {"file": zero})


def close(a, b):
    return a.shape == b.shape and bool(((a - b).abs() <= 1e-9 * (1 + b.abs().max() if b.numel() else 1)).all())


def is_zero(golden, noise, factor=FACTOR):
    """Whether the derivative is zero, or not told from it by what rounding leaves."""
    return noise is None or golden.numel() == 0 or float(golden.abs().max()) <= max(factor * noise, LEAST_SLOPE)


def is_told(right, wrong, noise, share):
    if right.shape != wrong.shape:
        return False
    off = float((right - wrong).abs().max())
    return off >= FACTOR * noise and off >= share * float(right.abs().max())


def slip(program, scene, claim):
    """A wrong claim: its kind, its key and what stands on its right."""
    rng = program.rng
    in_file = program.dtype
    noise = scene.noise["f32"][claim.name] * (1 if in_file == "f32" else DOUBLE)
    golden = scene.golden[claim.name]
    kinds = [*perturb.SLIPS, "multiple", "multiple"]
    rng.shuffle(kinds)
    if rng.random() < 0.5:
        kinds = rng.sample(["forgotten", "share", "stale"], 3) + kinds
    for kind in kinds:
        if kind == "multiple":
            least = FACTOR * noise / float(golden.abs().max())
            factor = round(1 + max(0.001, 2 * least), 4)
            if claim.name in scene.style.numbers:
                expression = literal(scene.golden_in_file[claim.name] * factor)
            else:
                expression = factor * claim.expression
            if is_told(golden, expression.value, noise, 9e-4):
                return kind, claim.key, expression.text
        elif kind in perturb.SLIPS:
            changed = perturb.SLIPS[kind](rng, golden)
            if changed is None or not is_told(golden, changed, noise, SHARE):
                continue
            return kind, claim.key, as_text(kind, claim, golden, changed, scene)
        elif claim.name not in scene.style.numbers:
            changed = formula(kind, rng, scene, claim)
            if changed is None:
                continue
            wrong = changed(claim, scene.claims)
            if wrong.value.shape != golden.shape:
                continue
            if is_told(golden, wrong.value, noise, SHARE):
                return kind, claim.key, wrong.text
            if in_file == "f64" and not program.literal and differs_elsewhere(program, scene, claim, changed):
                return "accident", claim.key, wrong.text
    return None


def as_text(kind, claim, golden, changed, scene):
    """Changed numbers: written as such, or as a formula with a mask, a sign or rows in another order."""
    expression = claim.expression
    if claim.name in scene.style.numbers:
        in_file = scene.golden_in_file[claim.name]
        ratio = torch.where(golden == 0, torch.zeros_like(golden), changed / golden)
        return written((in_file.roll(1, 0) if kind == "shifted" else in_file * ratio).tolist())
    if kind == "sign":
        return (-expression).text
    if kind == "shifted":
        order = [(at - 1) % golden.shape[0] for at in range(golden.shape[0])]
        return f"gather({expression.text}, {order})"
    ratio = torch.where(golden == 0, torch.ones_like(golden), changed / golden).round()
    return (expression * literal(ratio)).text


def formula(kind, rng, scene, claim):
    """A wrong formula as a function of the claims, so that it can be tried on other numbers: nothing where there is none."""
    match kind:
        case "forgotten" if claim.slips:
            choice = rng.randrange(len(claim.slips))

            def forget(claim, claims):
                at, g = claim.slips[choice]
                return summed([*claim.shares[:at], g, *claim.shares[at + 1:]])

            return forget
        case "share" if len(claim.shares) > 1:
            gone = rng.randrange(len(claim.shares))
            return lambda claim, claims: summed([*claim.shares[:gone], *claim.shares[gone + 1:]])
        case "stale":
            shape = scene.golden[claim.name].shape
            earlier = scene.claims[: [c.name for c in scene.claims].index(claim.name)]
            told = [c for c in earlier if c.name not in scene.style.untold]
            others = [c.name for c in told if c.expression.value.shape == shape]
            if not others:
                return None
            other = rng.choice(others)
            cited = lambda claims: next(c for c in claims if c.name == other)
            return lambda claim, claims: E(f"dL/d{other}", cited(claims).expression.value)
    return None


def differs_elsewhere(program, scene, claim, changed):
    """Whether a formula that is right on these numbers is wrong on others."""
    off = 0
    for seed in range(1, 4):
        inputs = program.draw(program.seed + 7919 * seed)
        run = program.run(inputs)
        claims = claims_of(program, with_cotangent(run, inputs), scene.style)
        here = next((c for c in claims if c.name == claim.name), None)
        if here is None:
            return False
        wrong, right = changed(here, claims).value, here.expression.value
        off += float((wrong - right).abs().max()) > 0.01 * float(right.abs().max())
    return off == 3


def with_cotangent(run, inputs):
    if "G" in inputs:
        run.values["G"] = E("G", inputs["G"].to(torch.float64))
    return run
