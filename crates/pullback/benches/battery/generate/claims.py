"""The backward pass of a program as claims: each definition's rule applied to what was claimed before.

What a claim says is a sum of shares, one for each use of a value. A claim may cite earlier ones (`dL/dy`), have their
expressions written out in their place, or be the numbers that PyTorch computed. Which it is, is decided once for a program
(`Style`), so that the same claims can be made on other numbers of its inputs. Where a definition has no rule in text, what its
operands get can be claimed as numbers alone, and only where the file states the numbers of its inputs: elsewhere it is for dumps.
"""

import torch

from expression import E, literal, ones


class Style:
    """Which claims are written out in those that would cite them, and which are numbers."""

    def __init__(self, program):
        rng = program.rng
        # Numbers are right on the numbers that a file states, and nowhere else.
        stated = program.literal and program.ending != "given"
        numbers = stated and rng.random() < 0.5
        names = program.floats()
        self.inlined = {name for name in program.nodes if rng.random() < 0.2}
        self.numbers = {name for name in names if numbers and rng.random() < 0.6}
        # Claims that have no text: those of operands of what has no rule, and what would cite them.
        self.untold = set()
        for name, node in reversed(program.nodes.items()):
            if node.rule is None or name in self.untold:
                reached = set(node.operands) & set(names)
                if stated:
                    self.numbers |= reached
                else:
                    self.untold |= reached
                self.inlined -= reached


class Claim:
    """The derivative of the loss by a value: its shares, their sum, and which claims it cites."""

    def __init__(self, name, shares, slips):
        self.name, self.shares, self.slips = name, shares, slips
        self.key = f"dL/d{name}"
        self.expression = summed(shares)


def summed(shares):
    result = shares[0]
    for share in shares[1:]:
        result = result + share
    return result


def claims_of(program, run, style):
    """All claims in backward order, on the values of a run without autograd. `slips` are shares as one may forget a factor."""
    E.computed = torch.float64
    used = program.used()
    shares = {name: [] for name in used}
    slips = {name: [] for name in used}
    made = []
    output = program.output
    y = run.values[output]
    match program.ending:
        case "square":
            shares[output].append(2 * y)
        case "sum":
            shares[output].append(ones(program.dims_of(output)) if y.value.ndim else E("1", torch.ones([], dtype=torch.float64)))
    for name in reversed([*program.inputs, *program.nodes]):
        if name not in used or (name in program.inputs and program.inputs[name].kind != "float"):
            continue
        if not shares[name] and not (name == output and program.ending == "given"):
            # It decides which elements are taken, and nothing else.
            continue
        if name == output and program.ending == "given":
            g = E(f"dL/d{name}", run.values["G"].value)
        else:
            claim = Claim(name, shares[name], slips[name])
            g = claim.expression
            if name not in style.inlined or name in program.inputs or len(g.text) > 60:
                made.append(claim)
                g = E(claim.key, g.value)
        if name not in program.nodes:
            continue
        node = program.nodes[name]
        operands = [run.values[operand] for operand in node.operands]
        rule = node.rule or by_autograd(node)
        for operand, share in zip(node.operands, rule(g, run.values[name], *operands)):
            if share is not None:
                # A slip: what comes back is taken for the share itself, as if the operation had no slope.
                if share.text != g.text and share.value.shape == g.value.shape:
                    slips[operand].append((len(shares[operand]), g))
                shares[operand].append(share)
    return made


def by_autograd(node):
    """A rule that is no text: what PyTorch makes of the definition alone, its cotangent being given."""

    def rule(g, y, *operands):
        moved = [x.value.detach().requires_grad_(x.value.is_floating_point()) for x in operands]
        made = node.forward(*(E(x.text, v) for x, v in zip(operands, moved))).value
        wanted = [v for v in moved if v.requires_grad]
        slopes = iter(torch.autograd.grad(made, wanted, g.value.expand_as(made), allow_unused=True))
        shares = [next(slopes) if v.requires_grad else None for v in moved]
        # Masks are no floats that anything is claimed by.
        return [None if share is None else E("numbers", share) for share in shares]

    return rule


def written_out(claim, style, golden):
    """What stands on the right of the claim."""
    return literal(golden).text if claim.name in style.numbers else claim.expression.text
