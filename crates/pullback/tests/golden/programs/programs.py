"""The programs of this folder in PyTorch, in double precision: NAME.grad is the forward pass in the `.grad` language, and the function of
that name here the same; NAME.npz holds its inputs, L and every dL/dx by autograd.

Run with Python 3.11, PyTorch 2.15.0 (CPU) and NumPy 2.4.6:

    python programs.py          writes the npz files beside this one
    python programs.py --check  writes nothing; fails where one differs by more than 1e-12 of its size

The inputs are what the first lines of a .grad file declare: `x: [N=3, D] ~ randn`, and `rand`, `positive`, `spd`.
"""

import re
import sys
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
log_softmax = torch.log_softmax


def mlp_mixer(x, A, B, D, E):
    u = x + B @ F.gelu(A @ F.layer_norm(x, (5,)))
    return ((u + F.gelu(F.layer_norm(u, (5,)) @ D) @ E) ** 2).sum() / 2


def squeeze_excite(x, A, B):
    gate = torch.sigmoid(torch.relu(x.mean((2, 3)) @ A.T) @ B.T)
    return ((x * gate[:, :, None, None]) ** 3).sum() / 3


def resnet_block(x, w1, g1, b1, w2, g2, b2):
    h = torch.relu(F.batch_norm(F.conv2d(x, w1, padding=1), None, None, g1, b1, training=True))
    y = torch.relu(x + F.batch_norm(F.conv2d(h, w2, padding=1), None, None, g2, b2, training=True))
    return (y**2).mean()


def depthwise_separable(x, d, p, b):
    y = F.conv2d(F.conv2d(x, d, stride=2, padding=1, groups=3), p, b)
    return F.hardswish(y).sum()


def unet_step(x, w, u, v):
    down = torch.relu(F.conv2d(F.max_pool2d(x, 2), w, padding=1))
    return (F.conv2d(torch.cat([x, F.conv_transpose2d(down, u, stride=2)], 1), v) ** 2).mean()


def pixel_shuffle_upscaler(x, w):
    y = F.pixel_shuffle(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), w), 2)
    return F.mse_loss(y, F.interpolate(x, scale_factor=2, mode="bicubic"))


def spatial_pyramid(x, w):
    parts = [F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, 2), F.adaptive_max_pool2d(x, 3)]
    return torch.tanh(torch.cat([part.flatten(1) for part in parts], 1) @ w).sum()


def group_norm_silu(x, g, b, t):
    return ((F.silu(F.group_norm(x, 2, g, b)) + t[:, :, None, None]) ** 2).sum() / 2


def local_response(x):
    return (F.local_response_norm(x, 3, alpha=0.3, k=2) ** 2).sum()


def rope(x):
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).double(), 10000.0 ** (-torch.arange(half).double() / half))
    angles = torch.cat([angles, angles], -1)
    return x * angles.cos() + torch.cat([-x[..., half:], x[..., :half]], -1) * angles.sin()


def attention_gqa(q, k, v):
    y = F.scaled_dot_product_attention(rope(q)[None], rope(k)[None], v[None], is_causal=True, enable_gqa=True)
    return (y**2).sum() / 2


def attention_alibi(q, k, v, m):
    at = torch.arange(4).double()
    mask = torch.where(at[None, :] <= at[:, None], m[:, None, None] * (at[None, :] - at[:, None]), -torch.inf)
    return (F.scaled_dot_product_attention(q, k, v, attn_mask=mask) ** 2).sum() / 2


def perceiver_pool(x, q, W):
    mask = torch.tensor([[True, True, False, True, False]])
    return (F.scaled_dot_product_attention(q, x @ W, x, attn_mask=mask) ** 3).sum()


def gru_two_steps(x, h, W, U, b, c):
    cell = torch.nn.GRUCell(2, 3)
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b, "bias_hh": c}
    for step in x:
        h = torch.func.functional_call(cell, weights, (step, h))
    return (h**2).sum()


def lstm_two_steps(x, h0, c0, W, U, b):
    cell = torch.nn.LSTMCell(2, 2)
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b, "bias_hh": torch.zeros(8)}
    h, c = h0, c0
    for step in x:
        h, c = torch.func.functional_call(cell, weights, (step, (h, c)))
    return (h**2).sum() + torch.tanh(c).sum()


def highway(x, A, B, b):
    return (torch.lerp(x, torch.tanh(x @ A), torch.sigmoid(x @ B + b)) ** 2).sum()


def mixture_density(a, m, s, y):
    parts = torch.distributions.Normal(m, F.softplus(s)).log_prob(y[:, None])
    return -torch.logsumexp(log_softmax(a, -1) + parts, -1).mean()


def normalizing_flow(x, W, V):
    a, b = x.chunk(2, 1)
    s = torch.tanh(a @ W)
    c = b * s.exp() + a @ V
    r = torch.tanh(c @ V)
    z = torch.cat([a * r.exp() + c @ W, c], 1)
    return ((z**2).sum(1) / 2 - s.sum(1) - r.sum(1)).mean()


def planar_flow(z, w, u, b):
    h = torch.tanh(z @ w + b)
    y = z + torch.outer(h, u)
    return ((y**2).sum(1) / 2 - (1 + (1 - h**2) * (u @ w)).abs().log()).mean()


def vae_elbo(x, e, A, B, C):
    m, v = x @ A, x @ B
    z = m + (v / 2).exp() * e
    fit = F.binary_cross_entropy_with_logits(z @ C, x, reduction="sum")
    return fit - (1 + v - m**2 - v.exp()).sum() / 2


def infonce(a, b, t):
    scores = t.exp() * (F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T)
    own = torch.arange(4)
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


def triplet(a, p, n):
    return F.triplet_margin_loss(F.normalize(a), F.normalize(p), F.normalize(n), margin=1.5)


def barlow_twins(a, b):
    u, v = ((x - x.mean(0)) / x.std(0) for x in (a, b))
    C = u.T @ v / 6
    diagonal = C.diagonal()
    return ((diagonal - 1) ** 2).sum() + 0.1 * ((C**2).sum() - (diagonal**2).sum())


def vicreg(z):
    C = torch.cov(z.T)
    return torch.relu(2 - (z.var(0) + 1e-4).sqrt()).mean() + ((C**2).sum() - (C.diagonal() ** 2).sum()) / 3


def label_smoothing(z):
    weight = torch.tensor([1, 2, 0.5, 1.5])
    return F.cross_entropy(z, torch.tensor([0, 3, 2, 2, 1]), weight=weight, label_smoothing=0.1)


def focal_retina(z):
    y = torch.tensor([1.0, 0, 0, 1, 0, 1])
    p = torch.sigmoid(z)
    q = torch.where(y == 1, p, 1 - p)
    return (torch.where(y == 1, 0.25, 0.75) * (1 - q) ** 2 * -q.log()).sum() / 3


def dpo_margin(a, b, c, d):
    return -F.logsigmoid(0.3 * ((a - b) - (c - d))).mean()


def ppo_clip(z, old, adv):
    lp = log_softmax(z, 1)
    r = (lp[torch.arange(5), torch.tensor([0, 2, 1, 1, 0])] - old).exp()
    gain = torch.minimum(r * adv, r.clip(0.8, 1.2) * adv).mean()
    return -gain + 0.01 * (lp.exp() * lp).sum(1).mean()


def td_lambda(v, r):
    returns = [sum(0.9 ** (k - i) * r[k] for k in range(i, 5)) for i in range(5)]
    return F.smooth_l1_loss(v, torch.stack(returns).detach(), beta=0.5)


def gradient_of(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def wgan_gp(x, W, b, v):
    f = torch.tanh(x @ W + b) @ v
    return ((gradient_of(f, x).norm(dim=1) - 1) ** 2).mean() + f.mean()


def pinn_burgers(t, x, a, b, c, v):
    u = torch.tanh(torch.outer(t, a) + torch.outer(x, b) + c) @ v
    ux = gradient_of(u, x)
    return ((gradient_of(u, t) + u * ux - 0.1 * gradient_of(ux, x)) ** 2).mean()


def deep_ritz(x, w, b, v):
    u = torch.sin(torch.outer(x, w) + b) @ v
    return (gradient_of(u, x) ** 2 / 2 - u * x.cos()).mean()


def ntk(x, W, v):
    rows = [torch.outer(row, (1 - torch.tanh(row @ W) ** 2) * v).flatten() for row in x]
    J = torch.stack(rows)
    return torch.logdet(J @ J.T + 0.1 * torch.eye(3))


def hamiltonian_net(q, p, dq, dp, a, b, v):
    E = torch.tanh(torch.outer(q, a) + torch.outer(p, b)) @ v
    return ((gradient_of(E, p) - dq) ** 2 + (gradient_of(E, q) + dp) ** 2).mean()


def kalman_two(A, Q, R, P0, m0, y):
    H = torch.tensor([[1, 0.5]])

    def step(m, P, seen):
        e, S = seen - H @ m, H @ P @ H.T + R
        K = P @ H.T @ S.inverse()
        return m + K @ e, P - K @ S @ K.T, (e @ torch.linalg.solve(S, e) + S.logdet()) / 2

    m1, P1, l0 = step(m0, P0, y[:1])
    return l0 + step(A @ m1, A @ P1 @ A.T + Q, y[1:])[2]


def gp_rbf(x, y, l, s):
    K = (2 * s).exp() * (-((x[:, None] - x) ** 2) / (2 * (2 * l).exp())).exp() + 0.3 * torch.eye(6)
    return y @ torch.linalg.solve(K, y) / 2 + K.logdet() / 2


def student_t(x, m, s, n):
    return -torch.distributions.StudentT(n, m, s.exp()).log_prob(x).sum()


def ridge_lstsq(X, y):
    w = torch.linalg.solve(X.T @ X, X.T @ y)
    return ((X @ w - y) ** 2).sum() + 0.1 * (w**2).sum()


def low_rank(U, V, M):
    # PyTorch's own derivative of singular values needs all of them to differ from 0: by eigenvalues of the smaller product.
    R, S = torch.linalg.qr(U)[1], torch.linalg.qr(V)[1]
    return ((U @ V.T - M) ** 2).sum() / 2 + 0.5 * torch.linalg.svdvals(R @ S.T).sum()


def matrix_flow(A, x, y):
    return ((torch.linalg.matrix_exp(A / 2) @ x - y) ** 2).sum()


def markov_steady(Z):
    P = torch.softmax(Z, -1)
    return -(P @ P @ P @ P @ P)[0, 2].log()


def spectral_filter(x, a, b):
    return (torch.fft.irfft(torch.fft.rfft(x) * torch.complex(a, b), n=6) ** 2).sum() / 2


def power_spectrum(x, y):
    power = [(torch.fft.rfft(z).abs() ** 2 + 1e-3).log() for z in (x, y)]
    return F.l1_loss(*power)


def total_variation(x, y):
    dx, dy = F.pad(x[:, 1:] - x[:, :-1], (0, 1)), F.pad(x[1:] - x[:-1], (0, 0, 0, 1))
    return ((x - y) ** 2).sum() / 2 + (dx**2 + dy**2 + 0.01).sqrt().sum()


def heston_barrier(z, s, v):
    S = (s + torch.cumsum(0.1 * v * z - 0.005 * v**2, 0)).exp()
    return torch.relu(1.5 - S.cummin(0).values[-1]) + torch.logaddexp(S[-1], s)


def survival_weibull(t, k, l):
    d = torch.tensor([1.0, 0, 1, 1, 0])
    a, u = k.exp(), t.log() - l
    return -(d * (k - t.log() + a * u) - (a * u).exp()).sum()


def chamfer_cdist(a, b):
    C = (a[:, None] - b[None]).norm(dim=-1)
    return C.amin(1).mean() + C.amin(0).mean()


def sinkhorn(C):
    f = torch.zeros(3)
    for _ in range(2):
        g = -0.5 * torch.logsumexp((f[:, None] - C) / 0.5, 0)
        last, f = f, -0.5 * torch.logsumexp((g[None] - C) / 0.5, 1)
    return (((last[:, None] + g[None] - C) / 0.5).exp() * C).sum()


def nerf_render(s, c, d):
    a = 1 - (-F.softplus(s) * d).exp()
    left = torch.cat([torch.ones(1), torch.cumprod(1 - a + 1e-10, 0)[:-1]])
    return (((a * left) @ c - 0.5) ** 2).sum()


def cosine_schedule_loss(x, e, W):
    a = torch.cos(torch.pi / 2 * torch.tensor([0.1, 0.4, 0.7, 0.9])) ** 2
    z = a.sqrt()[:, None] * x + (1 - a).sqrt()[:, None] * e
    return ((a / (1 - a)).clip(max=5)[:, None] * (torch.tanh(z @ W) - e) ** 2).mean()


def inputs(name):
    """Numbers for what a file declares, three decimals each."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    sizes, drawn = {}, {}
    for line in (HERE / f"{name}.grad").read_text().splitlines():
        declared = re.match(r"(\w+): \[(.*)\] ~ (\w+)$", line)
        if not declared:
            continue
        input_name, dims, how = declared.groups()
        shape = []
        for dim in filter(None, dims.split(", ")):
            letter, _, size = dim.partition("=")
            if size:
                sizes[letter] = int(size)
            shape.append(sizes[letter] if letter in sizes else int(letter))
        values = rng.standard_normal(shape)
        if how == "rand":
            values = rng.uniform(size=shape)
        elif how == "positive":
            values = np.exp(values)
        elif how == "spd":
            values = values @ values.T + np.eye(shape[0])
        drawn[input_name] = torch.tensor(np.round(values, 3), requires_grad=True)
    return drawn


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    names = sorted(path.stem for path in HERE.glob("*.grad"))
    for name in names:
        drawn = inputs(name)
        loss = globals()[name](**drawn)
        assert loss.ndim == 0 and prod(loss.shape) == 1, name
        gradients = torch.autograd.grad(loss, list(drawn.values()), allow_unused=True)
        made = {"L": loss.detach().numpy()}
        for (key, value), gradient in zip(drawn.items(), gradients):
            made[key] = value.detach().numpy()
            if gradient is not None:
                made[f"dL/d{key}"] = gradient.detach().numpy()
        assert all(np.isfinite(value).all() for value in made.values()), name
        target = HERE / f"{name}.npz"
        if "--check" in sys.argv[1:]:
            stored = np.load(target)
            assert set(stored) == set(made), name
            for key, value in made.items():
                assert np.abs(stored[key] - value).max() <= 1e-12 * (1 + np.abs(value).max()), f"{name}: {key}"
        else:
            np.savez(target, **made)
    print(f"{len(names)} programs")


if __name__ == "__main__":
    main()
