"""The programs of this folder in PyTorch, in double precision: each returns the loss `L`. NAME.npz holds its inputs, L and every dL/dx
by autograd. `t` are the inputs."""
import torch
import torch.nn.functional as F


def gelu_exact(t):
    return F.gelu(t["x"]).sum()


def pca_eigh(t):
    return torch.linalg.eigvalsh(t["X"].T @ t["X"])[-2:].sum()


def probit(t):
    return -torch.special.log_ndtr(t["y"] * (t["X"] @ t["w"])).sum()


def neg_binomial(t):
    r, m, y = torch.exp(t["r"]), torch.exp(t["m"]), t["y"]
    return -(torch.lgamma(y + r) - torch.lgamma(r) + r * torch.log(r / (r + m)) + y * torch.log(m / (r + m))).sum()


def black_scholes(t):
    S, K, r, v, T = (t[k] for k in "SKrvT")
    d1 = (torch.log(S / K) + (r + v**2 / 2) * T) / (v * torch.sqrt(T))
    d2 = (torch.log(S / K) + (r - v**2 / 2) * T) / (v * torch.sqrt(T))
    return (S * torch.special.ndtr(d1) - K * torch.exp(-r * T) * torch.special.ndtr(d2)).sum()


def ewald_real(t):
    x, q = t["x"], t["q"]
    i, j = torch.triu_indices(len(x), len(x), 1)
    r = (x[i] - x[j]).norm(dim=1)
    return (q[i] * q[j] * torch.erfc(t["al"] * r) / r).sum()
