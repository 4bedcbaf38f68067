"""What a function does beside a point where pieces of it meet: slopes from both sides, by differences.

Autograd says there what the conventions of the operations give, one after the other. Where the slopes agree with each other
the function is smooth, and what autograd says is wrong if it is something else.
"""

import torch

STEP = 1e-6
# Differences with that step are exact to about as much; slopes of kinks differ by far more.
CLOSE = 1e-4


def loss_at(program, scene, name, numbers):
    """The loss where a value has other numbers."""
    if name in program.inputs:
        run = program.run({**scene.inputs, name: numbers})
    else:
        run = program.run(scene.inputs, held={name: numbers})
    return float(run.loss.value)


class Slopes:
    def __init__(self, program, scene, name):
        at = scene.run.values[name].value.contiguous()
        right, left = torch.zeros_like(at), torch.zeros_like(at)
        base = float(scene.run.loss.value)
        for entry in range(at.numel()):
            for side, slopes in ((STEP, right), (-STEP, left)):
                moved = at.clone()
                moved.view(-1)[entry] += side
                slopes.view(-1)[entry] = (loss_at(program, scene, name, moved) - base) / side
        self.program, self.scene, self.name, self.base = program, scene, name, base
        self.above, self.below = right, left
        self.scale = 1 + max(float(right.abs().max()), float(left.abs().max()))
        self.smooth = (right - left).abs() <= CLOSE * self.scale

    def is_ambiguous(self):
        """Whether pieces meet so near to one another, or so flatly, that differences do not tell."""
        gap = (self.above - self.below).abs() / self.scale
        return bool(((gap > CLOSE) & (gap < 50 * CLOSE)).any()) or self.scale > 1e4

    def exclude(self, claimed):
        """Whether an entry lies at a kink, and outside of the slopes: conventions one after the other may give that."""
        least, most = torch.minimum(self.above, self.below), torch.maximum(self.above, self.below)
        margin = CLOSE * self.scale
        return bool((~self.smooth & ((claimed < least - margin) | (claimed > most + margin))).any())

    def fit_together(self):
        """Whether slopes of single entries add up to those along directions: of elements that tie in an order they do not, and there no value
        is the derivative."""
        at, middle = self.scene.run.values[self.name].value, (self.above + self.below) / 2
        generator = torch.Generator().manual_seed(self.program.seed)
        for _ in range(4):
            along = torch.randn(at.shape, dtype=at.dtype, generator=generator) * self.smooth
            slope = float((middle * along).sum())
            for side in (STEP, -STEP):
                seen = (loss_at(self.program, self.scene, self.name, at + side * along) - self.base) / side
                if abs(seen - slope) > 10 * CLOSE * self.scale * (1 + float(along.norm())):
                    return False
        return True

    def contradict(self, claimed):
        """Whether the function is smooth in an entry, and has another slope there."""
        middle = (self.above + self.below) / 2
        return bool((self.smooth & ((middle - claimed).abs() > 10 * CLOSE * self.scale)).any())
