"""Golden runs of the training examples: what PyTorch prints for the same data, drawn with the same seeds.

Run with Python 3.11 and PyTorch 2.15.0 (CPU):

    python training.py            writes train_linear.txt and train_hidden.txt beside this file
    python training.py --check    writes nothing; fails if the files are not what this script gives

The gradients are those that autograd gives: the examples work them out by hand. `crates/pullback/examples/` prints every line
of these files, and others between them.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
W_TRUE = [[1, 1], [1.5, 1.5], [2, 3], [2.5, -0.5]]
B_TRUE = [0, -1]


def mse(p, t):
    return (p - t).pow(2).mean()


def update(parameters, loss, rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter -= rate * gradient


def show(name, tensor):
    prefix = f"{name} = "
    return prefix + str(tensor.detach()).replace("\n", "\n" + " " * len(prefix))


def linear():
    torch.manual_seed(0)
    x = torch.rand((100, 4)) * 10 - 5
    w_true, b_true = torch.tensor(W_TRUE), torch.tensor(B_TRUE, dtype=torch.float32)
    y = x @ w_true + b_true
    w = torch.randn(4, 2).requires_grad_()
    b = torch.zeros(2).requires_grad_()

    def loss():
        return mse(x @ w + b, y)

    yield show("y[:7]", y[:7])
    yield show("w", w)
    yield show("b", b)
    yield show("loss", loss())
    update([w, b], loss(), 0.1)
    yield show("loss", loss())
    for _ in range(20):
        yield show("loss", loss())
        update([w, b], loss(), 0.01)
    yield show("w", w)
    yield show("b", b)
    yield show("loss", loss())


def hidden():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    x = torch.rand((100, 4)) * 10 - 5
    w_true, b_true = torch.tensor(W_TRUE), torch.tensor(B_TRUE, dtype=torch.float64)
    y = x.abs() @ w_true + b_true
    w1 = (torch.randn(4, 16) / 2).requires_grad_()
    b1 = torch.zeros(16).requires_grad_()
    w2 = (torch.randn(16, 2) / 4).requires_grad_()
    b2 = torch.zeros(2).requires_grad_()

    def loss():
        return mse((x @ w1 + b1).relu() @ w2 + b2, y)

    affine = torch.cat([x, torch.ones(100, 1)], dim=1)
    best = torch.linalg.lstsq(affine, y).solution
    yield show("the best loss of a linear layer", mse(affine @ best, y))
    for step in range(501):
        if step % 50 == 0:
            yield show("loss", loss())
        update([w1, b1, w2, b2], loss(), 0.02)


def main():
    for name, lines in [("train_linear.txt", linear), ("train_hidden.txt", hidden)]:
        head = f"PyTorch {torch.__version__.split('+')[0]}\n"
        text = head + "\n".join(lines()) + "\n"
        if "--check" not in sys.argv:
            (HERE / name).write_text(text)
        elif (HERE / name).read_text() != text:
            sys.exit(f"{name} is not what this script gives")


if __name__ == "__main__":
    main()
