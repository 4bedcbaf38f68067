"""The programs of this folder in PyTorch, in double precision. NAME.npz holds the inputs, L and every dL/dx by autograd.

    python programs.py          writes all of them
"""
import numpy as np
import torch

torch.set_default_dtype(torch.float64)


def lstm(t):
    layer = torch.nn.LSTM(3, 4, batch_first=True)
    names = {"weight_ih_l0": t["Wx"], "weight_hh_l0": t["Wh"], "bias_ih_l0": t["bx"], "bias_hh_l0": t["bh"]}
    start = (t["h0"][None], t["c0"][None])
    hs, (h, c) = torch.func.functional_call(layer, names, (t["X"], start))
    return (hs**2).sum() + (h * c).sum()


def gru(t):
    layer = torch.nn.GRU(3, 4, num_layers=2)
    names = {}
    for k in "01":
        names |= {f"weight_ih_l{k}": t["Wx" + k], f"weight_hh_l{k}": t["Wh" + k]}
        names |= {f"bias_ih_l{k}": t["bx" + k], f"bias_hh_l{k}": t["bh" + k]}
    top, last = torch.func.functional_call(layer, names, (t["E"][t["words"]].flip(0), t["h0"]))
    return (top**2).sum() + (last[0] ** 3).sum()


def ssm(t):
    a = torch.exp(-t["delta"][..., None] * torch.exp(t["A"]))
    u = (t["delta"] * t["x"])[..., None] * t["Bt"][:, :, None]
    s, loss = torch.zeros(2, 3, 4), 0
    for step in range(20):
        s = a[:, step] * s + u[:, step]
        loss = loss + ((s * t["Ct"][:, step, None]).sum(-1) ** 2).sum()
    return loss


def sorted(t):
    a, b = t["x"].sort().values, t["y"].sort().values
    v, order = t["score"].sort(descending=True)
    return ((a - b) ** 2).mean() + a[2:7].mean() * (t["weight"][order].cumsum(0) * v).sum()


SHAPES = {
    "lstm": {"X": (2, 12, 3), "h0": (2, 4), "c0": (2, 4), "Wx": (16, 3), "Wh": (16, 4), "bx": (16,), "bh": (16,)},
    "gru": {"E": (7, 3), "words": 9, "h0": (2, 4), "Wx0": (12, 3), "Wh0": (12, 4), "bx0": (12,), "bh0": (12,),
            "Wx1": (12, 4), "Wh1": (12, 4), "bx1": (12,), "bh1": (12,)},
    "ssm": {"x": (2, 20, 3), "delta": (2, 20, 3), "A": (3, 4), "Bt": (2, 20, 4), "Ct": (2, 20, 4)},
    "sorted": {"x": (9,), "y": (9,), "score": (7,), "weight": (7,)},
}

for name, shapes in SHAPES.items():
    torch.manual_seed(len(name))
    draw = lambda shape: torch.randint(0, 7, (shape,)) if isinstance(shape, int) else torch.randn(shape)
    tensors = {key: draw(shape) for key, shape in shapes.items()}
    for key in ("delta", "weight"):
        if key in tensors:
            tensors[key] = tensors[key].abs() + 0.1
    floats = [key for key in tensors if tensors[key].is_floating_point()]
    for key in floats:
        tensors[key].requires_grad_()
    loss = globals()[name](tensors)
    gradients = torch.autograd.grad(loss, [tensors[key] for key in floats])
    arrays = {key: value.detach().numpy() for key, value in tensors.items()} | {"L": loss.detach().numpy()}
    arrays |= {f"dL/d{key}": value.numpy() for key, value in zip(floats, gradients)}
    np.savez(f"{name}.npz", **arrays)
