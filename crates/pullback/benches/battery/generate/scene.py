"""A program on its numbers: what PyTorch computes for it, in each precision, and how far rounding moves that.

Rounding is measured: the program is run in a precision and in f64 on the same (rounded) inputs, as it is and with all inputs
scaled a little, which leaves ties, zeros and masks as they are. The largest difference of a tensor over these trials is its
noise. A choice (a relu, a maximum) that lies as near to turning as rounding reaches makes a run `near`: another implementation
may choose otherwise there.
"""

import torch

from claims import Style, claims_of
from files import with_cotangent
from program import Unfit

# Of these PyTorch has second derivatives to nine digits (trigamma), or with what elimination leaves of zeros, or by sums of terms a hundred
# times as large (a singular value of a matrix that is nearly diagonal).
ONCE = ("lgamma(", "det(", "svdvals(")
PRECISIONS = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
SCALES = (1.0, 0.97, 1.04, 0.93, 1.09)
# A choice is near to turning where it is within so many times the noise of what is chosen by.
NEAR = 30
# Values and slopes beyond this are no longer those of a program that anyone trains; the far end of a mask is exempt.
TAME = 1e3


# A value of which an entry is off by this share of itself is what rounding left of cancelled terms.
CANCELLED = 0.5


class Precise:
    """One precision: the inputs in it, what was computed and its gradients, and the run in f64 on the same inputs.

    `near` where a choice may turn; `cancelled` are values that are rounding and nothing else in some entry.
    """

    def __init__(self, inputs, run, reference, gradients):
        self.inputs, self.run, self.reference, self.gradients = inputs, run, reference, gradients
        self.near, self.cancelled = False, set()


class Derivative:
    """A claim about another derivative than a gradient, in numbers, and how far rounding moves these in f32."""

    def __init__(self, key, numbers, noise):
        self.key, self.numbers, self.noise = key, numbers, noise


class Scene:
    def __init__(self, program):
        self.program = program
        self.inputs = program.draw()
        exact = {name: v.to(torch.float64) if v.is_floating_point() else v for name, v in self.inputs.items()}
        with torch.no_grad():
            self.run = with_cotangent(program.run(exact), exact)
        self.tame()
        traced = program.run(exact, differentiable=True)
        if not traced.loss.value.requires_grad:
            raise Unfit("the loss depends on no input")
        self.golden = program.gradients(traced)
        if any(not g.isfinite().all() or float(g.abs().max()) > TAME for g in self.golden.values() if g.numel()):
            raise Unfit("slopes")
        self.kinked = self.has_kinks()
        if self.kinked and any(node.holds for node in program.nodes.values()):
            raise Unfit("differences beside kinks do not know what is held")
        self.noise, self.precise = {}, {}
        for precision in PRECISIONS:
            self.measure(precision)
        if "f32" not in self.precise:
            raise Unfit("f32")
        # As a file of that precision can hold them.
        self.golden_in_file = {name: g.to(self.file_dtype()) for name, g in self.golden.items()}
        # Values of which autograd's number is not the slope.
        self.unlike = set()
        self.style = Style(program)
        self.claims = claims_of(program, self.run, self.style)
        self.derivatives = [] if self.kinked else self.others(traced)

    def file_dtype(self):
        return PRECISIONS[self.program.dtype]

    def tame(self):
        for name, value in self.run.values.items():
            v = value.value
            if not v.is_floating_point() or v.numel() == 0:
                continue
            if not v.isfinite().all() or float(v[v > -1e3].abs().max() if (v > -1e3).any() else 0) > TAME:
                raise Unfit(name)
        if self.run.loss.value.numel() != 1 or not self.run.loss.value.isfinite():
            raise Unfit("loss")

    def gaps(self, run):
        """Each choice's distance from turning, by the name of its definition."""
        program = self.program
        for name, node in program.nodes.items():
            if node.gap:
                values = (run.values[operand].value.detach() for operand in node.operands)
                yield name, node.gap(*(v.to(torch.float64) if v.is_floating_point() else v for v in values))

    def has_kinks(self):
        kinked = False
        for name, gap in self.gaps(self.run):
            node = self.program.nodes[name]
            if bool(((gap > 0) & (gap < 1e-3)).any()) or node.jumps and bool((gap == 0).any()):
                raise Unfit("a choice too near")
            kinked |= bool((gap == 0).any())
        pieces = [node for node in self.program.nodes.values() if node.pieces]
        for node in pieces:
            kinked |= bool((self.run.values[node.operands[0]].value == 0).any())
        return kinked

    def measure(self, precision):
        """Runs in a precision: gradients and their noise."""
        program, dtype = self.program, PRECISIONS[precision]
        noise, cancelled = {}, set()
        near, precise = False, None
        for scale in SCALES if precision != "f64" else SCALES[:1]:
            inputs = {name: self.rounded(name, v, dtype, scale) for name, v in self.inputs.items()}
            try:
                run = program.run(inputs, dtype, differentiable=True)
                gradients = program.gradients(run)
            except RuntimeError as error:
                # Linear algebra is not there in 16 bits.
                if "not implemented" not in str(error) and "Half" not in str(error) and "BFloat16" not in str(error):
                    raise
                return
            if any(not g.isfinite().all() for g in gradients.values()):
                return
            wide = {name: v.to(torch.float64) if v.is_floating_point() else v for name, v in inputs.items()}
            reference = program.run(wide, differentiable=True)
            slopes = program.gradients(reference)
            for name, g in gradients.items():
                off = (g.to(torch.float64) - slopes[name]).abs()
                noise[name] = max(noise.get(name, 0.0), float(off.max()) if off.numel() else 0.0)
            near |= self.is_near(run, reference)
            cancelled |= {name for name in [*program.nodes, "L"] if is_cancelled(run.of(name), reference.of(name))}
            precise = precise or Precise(inputs, run, reference, gradients)
        precise.near, precise.cancelled = near, cancelled
        self.precise[precision] = precise
        self.noise[precision] = noise

    def rounded(self, name, v, dtype, scale):
        given = self.program.inputs.get(name)
        if not v.is_floating_point():
            return v
        return (v if given and given.kind == "mask" else v * scale).to(dtype)

    def is_near(self, run, reference):
        """Whether a choice may turn by rounding: what is chosen by is no exact number, and near to the other side."""
        pairs = zip(self.gaps(run), self.gaps(reference))
        for (name, gap), (_, exact) in pairs:
            operands = self.program.nodes[name].operands
            if all(operand in self.program.exact for operand in operands) or not gap.numel():
                continue
            noise = float((gap - exact).abs().max())
            if bool(((exact < NEAR * noise) & ((exact > 0) | (gap > 0))).any()):
                return True
        return False

    def others(self, traced):
        """Claims about the derivative of a tensor, and about second derivatives, in numbers, now and then."""
        program, rng = self.program, self.program.rng
        if rng.random() > 0.4 or program.dtype == "f32" or not program.literal:
            return []
        values = {name: value.value for name, value in traced.values.items()}
        xs = [name for name in values if name in program.inputs and values[name].requires_grad and values[name].numel() <= 12]
        ys = [name for name in program.nodes if values[name].requires_grad and 1 < values[name].numel() <= 12]
        if not xs or not ys:
            return []
        x, y = rng.choice(xs), rng.choice(ys)
        claims = self.derivatives_of(traced, x, y)
        rounded, exact = (self.derivatives_of(run, x, y) for run in (self.precise["f32"].run, self.precise["f32"].reference))
        known = [Derivative(key, n, float((rounded[key] - exact[key]).abs().max())) for key, n in claims.items()]
        tame = lambda n: bool(n.any()) and bool(n.isfinite().all()) and float(n.abs().max()) < TAME
        return [claim for claim in known if tame(claim.numbers)]

    def derivatives_of(self, run, x, y):
        """The derivative of one value by another, and the second one of the loss, by key; only what there is a path for."""
        values = {name: value.value for name, value in run.values.items()}
        found = {f"d{y}/d{x}": derivative(values[y], values[x])}
        if self.program.ending != "given" and not any(name in text for text in run.texts.values() for name in ONCE):
            slope = torch.autograd.grad(run.loss.value, values[x], create_graph=True, allow_unused=True)[0]
            if slope is not None and slope.requires_grad:
                found[f"d2L/d{x}2"] = derivative(slope, values[x])
        return {key: numbers for key, numbers in found.items() if numbers is not None}


def is_cancelled(v, exact):
    """Whether an entry is what rounding left of terms that cancel."""
    off = (v.to(torch.float64) - exact).abs()
    return v.is_floating_point() and not bool((off <= CANCELLED * exact.abs()).all())


def derivative(of, by):
    """One row of it for each element, or nothing where there is no path."""
    rows = [torch.autograd.grad(entry, by, retain_graph=True, allow_unused=True)[0] for entry in of.flatten()]
    if any(row is None for row in rows):
        return None
    return torch.stack(rows).reshape([*of.shape, *by.shape])
