"""Functions that people write kernels for, as plain PyTorch: `FUNCTIONS[name] = (function, how its arguments are drawn)`."""

import math

import torch
import torch.nn.functional as F


def rms_norm(x, g):
    u = torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return g * x / u


def layer_norm(x, g, b):
    return F.layer_norm(x, (7,), g, b)


def layer_norm_of_two_axes(x, g):
    return F.layer_norm(x, (3, 4), g)


def group_norm(x, g, b):
    return F.group_norm(x, 2, g, b)


def batch_norm(x, g, b):
    return F.batch_norm(x, None, None, g, b, training=True)


def instance_norm(x):
    return F.instance_norm(x)


def cross_entropy(x, t):
    return F.cross_entropy(x, t)


def cross_entropy_smoothed(x, t):
    return F.cross_entropy(x, t, label_smoothing=0.2, ignore_index=1)


def cross_entropy_weighted(x, t, w):
    return F.cross_entropy(x, t, weight=w.detach().abs())


def kl_div(x, y):
    return F.kl_div(F.log_softmax(x, -1), F.softmax(y, -1), reduction="batchmean")


def total_variation(x, y):
    return 0.5 * (F.softmax(x, -1) - F.softmax(y, -1)).abs().sum(-1).mean()


def swiglu(a, b):
    return F.silu(a) * b


def geglu(a, b):
    return F.gelu(a, approximate="tanh") * b


def activations(x):
    return F.gelu(x) + F.elu(x) + F.softplus(x) + F.mish(x) + F.hardswish(x) + F.leaky_relu(x, 0.1) + F.relu(x) ** 2


def attention(q, k, v):
    s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    m = torch.triu(torch.full_like(s, float("-inf")), 1)
    return torch.softmax(s + m, -1) @ v


def attention_of_the_library(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def grouped_attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


def rope(x, c, s):
    x1, x2 = x.chunk(2, -1)
    return x * c + torch.cat((-x2, x1), -1) * s


def mixture(x, w, e):
    g = F.softmax(x @ w.t(), -1)
    v, i = g.topk(2, -1)
    v = v / v.sum(-1, keepdim=True)
    return (v.unsqueeze(-1) * e[i]).sum(1)


def conv1d(x, w):
    return F.conv1d(x, w, padding=1)


def conv2d_in_groups(x, w, b):
    return F.conv2d(x, w, b, stride=2, groups=2)


def pools(x):
    return F.max_pool2d(x, 2).sum() + F.avg_pool2d(x, 2).pow(2).sum() + F.adaptive_avg_pool2d(x, 1).sin().sum()


def embedding(t, w):
    return F.embedding(t, w, padding_idx=1)


def lstm_cell(x, h, c, w):
    z = torch.cat((x, h), -1) @ w
    i, f, g, o = z.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def scan(u, d, a):
    h, ys = torch.zeros_like(u[0]), []
    for t in range(u.shape[0]):
        h = torch.exp(d[t] * a) * h + d[t] * u[t]
        ys.append(h)
    return torch.stack(ys)


def losses(x, y):
    return F.smooth_l1_loss(x, y) + F.huber_loss(x, y, delta=0.5) + F.mse_loss(x, y) + F.l1_loss(x, 2 * y)


def binary_cross_entropy(x, y):
    return F.binary_cross_entropy_with_logits(x, torch.sigmoid(y)) + F.binary_cross_entropy(
        torch.sigmoid(x), torch.sigmoid(y)
    )


def cosine(x, y):
    return F.cosine_similarity(x, y).mean()


def triplet(a, p, n):
    return F.triplet_margin_loss(a, p, n)


def cumulative(x):
    return torch.cumsum(x, -1) + torch.flip(torch.roll(x, 1, 0), (1,)).cumsum(0)


def sparsemax(x):
    z, _ = torch.sort(x, -1, descending=True)
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    cs = torch.cumsum(z, -1)
    kz = ((1 + k * z) > cs).sum(-1, keepdim=True)
    tau = (cs.gather(-1, kz - 1) - 1) / kz
    return torch.clamp(x - tau, min=0)


def normalized(x):
    return F.normalize(x, dim=-1)


def statistics(x):
    v, m = torch.var_mean(x, -1)
    return v * m + x.std(-1) + x.amax(-1) + x.logsumexp(-1) + x.median(-1).values + x.max(-1).values * x.min(-1)[0]


def masked(x, m):
    return torch.where(m > 0, x, x.exp()).masked_fill(x > 1, 0.5).sum(0)


def linear_algebra(a, b):
    a = a @ a.t() + 3 * torch.eye(4, dtype=a.dtype)
    return (
        torch.linalg.solve(a, b).sum()
        + torch.linalg.slogdet(a)[1]
        + torch.linalg.cholesky(a).sum()
        + torch.linalg.inv(a)[0, 1]
    )


def decompositions(a, b):
    u, s, v = torch.linalg.svd(a, full_matrices=False)
    fitted = torch.linalg.lstsq(a, b).solution
    return (u * s.square()) @ v, fitted, torch.linalg.pinv(a).sum(), torch.matrix_exp(0.3 * a.t() @ b).sum()


def scattered_by_choice(x, y, t):
    at = t.unsqueeze(1).expand(4, 3)
    chosen = [x.scatter_reduce(1, at, y, how) for how in ("amax", "amin", "prod", "mean")]
    return sum(chosen), x.index_add(1, t[:3], y), torch.select_scatter(x, y[:, 0], 1, 2)


def upsampled(x, w):
    y = F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1)
    return y, F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)


def bags(t, w):
    return F.embedding_bag(t, w), F.embedding_bag(t, w, mode="sum", padding_idx=1)


def written_in_place(x, w):
    out = torch.zeros(4, 6, dtype=x.dtype)
    out[:, :3] = x @ w
    out[:, 3:] += torch.tanh(x)[:, :3]
    out[1].add_(1)
    out *= 2
    return out.cumsum(0)


def shapes(x):
    y = x.repeat(2, 1).reshape(2, 4, 5).permute(2, 0, 1)
    y = F.pad(y, (1, 2)).unfold(2, 3, 2) if y.shape[2] > 100 else F.pad(y, (1, 2))
    return (
        torch.einsum("abc,abd->cd", y, y)
        + torch.stack(y.unbind(0)).sum()
        + x.diagonal().sum()
        + x.t()[1:, ::2].prod(1).sum()
    )


def scattered(x, i):
    y = torch.zeros(4, 6, dtype=x.dtype).scatter_add(1, i, x)
    return y.index_select(0, i[0]) ** 2 + torch.zeros(6, dtype=x.dtype).index_add(0, i[0], x[0] * x[1]).sum()


def normal(*shape):
    return lambda g: torch.randn(*shape, generator=g, dtype=torch.float64)


def whole(high, *shape):
    return lambda g: torch.randint(0, high, shape, generator=g)


FUNCTIONS = {
    function.__name__: (function, arguments)
    for function, *arguments in [
        (rms_norm, normal(3, 7), normal(7)),
        (layer_norm, normal(3, 7), normal(7), normal(7)),
        (layer_norm_of_two_axes, normal(2, 3, 4), normal(3, 4)),
        (group_norm, normal(3, 4, 5), normal(4), normal(4)),
        (batch_norm, normal(5, 3, 2), normal(3), normal(3)),
        (instance_norm, normal(2, 3, 5)),
        (cross_entropy, normal(5, 6), whole(6, 5)),
        (cross_entropy_smoothed, normal(5, 6), whole(3, 5)),
        (cross_entropy_weighted, normal(5, 6), whole(6, 5), normal(6)),
        (kl_div, normal(3, 5), normal(3, 5)),
        (total_variation, normal(3, 5), normal(3, 5)),
        (swiglu, normal(3, 5), normal(3, 5)),
        (geglu, normal(3, 5), normal(3, 5)),
        (activations, normal(3, 5)),
        (attention, normal(2, 4, 3), normal(2, 4, 3), normal(2, 4, 3)),
        (attention_of_the_library, normal(1, 2, 4, 3), normal(1, 2, 4, 3), normal(1, 2, 4, 3)),
        (grouped_attention, normal(1, 4, 3, 2), normal(1, 2, 3, 2), normal(1, 2, 3, 2)),
        (rope, normal(3, 6), normal(3, 6), normal(3, 6)),
        (mixture, normal(3, 4), normal(5, 4), normal(5, 2)),
        (conv1d, normal(2, 3, 6), normal(4, 3, 3)),
        (conv2d_in_groups, normal(1, 4, 5, 5), normal(2, 2, 3, 3), normal(2)),
        (pools, normal(2, 2, 4, 4)),
        (embedding, whole(5, 4), normal(5, 3)),
        (lstm_cell, normal(3, 4), normal(3, 4), normal(3, 4), normal(8, 16)),
        (scan, normal(4, 3), normal(4, 3), normal(3)),
        (losses, normal(3, 4), normal(3, 4)),
        (binary_cross_entropy, normal(3, 4), normal(3, 4)),
        (cosine, normal(3, 4), normal(3, 4)),
        (triplet, normal(3, 4), normal(3, 4), normal(3, 4)),
        (cumulative, normal(3, 4)),
        (sparsemax, normal(3, 6)),
        (normalized, normal(3, 6)),
        (statistics, normal(3, 5)),
        (masked, normal(3, 4), normal(3, 4)),
        (linear_algebra, normal(4, 4), normal(4, 2)),
        (decompositions, normal(5, 3), normal(5, 3)),
        (scattered_by_choice, normal(4, 6), normal(4, 3), whole(6, 4)),
        (upsampled, normal(2, 3, 4, 4), normal(3, 2, 3, 3)),
        (bags, whole(5, 4, 3), normal(5, 3)),
        (written_in_place, normal(4, 5), normal(5, 3)),
        (shapes, normal(4, 5)),
        (scattered, normal(4, 6), whole(4, 4, 6)),
    ]
}


def arguments(name, dtype):
    """The arguments of a function in a precision."""
    generator = torch.Generator().manual_seed(7)
    drawn = [draw(generator) for draw in FUNCTIONS[name][1]]
    return [one.to(dtype) if one.is_floating_point() else one for one in drawn]
