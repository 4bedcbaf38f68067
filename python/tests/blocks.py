"""Blocks of well-known networks as modules of PyTorch: `BLOCKS[name] = (module, inputs)`, at a width.

Run as a script it measures what a check of each takes, beside PyTorch's gradcheck in fast mode, which says less:

    python tests/blocks.py [WIDTH…]
"""

import math
import sys
import threading
import time

import torch
import torch.nn.functional as F
from torch import nn


class CharacterMLP(nn.Module):
    """An embedding of the characters before, a hidden layer with a batch norm written out, and logits: a loss."""

    def __init__(self, width, vocabulary=27, context=3):
        super().__init__()
        self.c = nn.Embedding(vocabulary, width // 4)
        self.w1 = nn.Parameter(torch.randn(context * (width // 4), width) / math.sqrt(context * (width // 4)))
        self.gain, self.bias = nn.Parameter(1 + 0.1 * torch.randn(width)), nn.Parameter(0.1 * torch.randn(width))
        self.w2, self.b2 = (
            nn.Parameter(torch.randn(width, vocabulary) * 0.1),
            nn.Parameter(torch.randn(vocabulary) * 0.1),
        )

    def forward(self, tokens, targets):
        embedded = self.c(tokens).view(tokens.shape[0], -1)
        z = embedded @ self.w1
        mean, var = z.mean(0, keepdim=True), z.var(0, keepdim=True, unbiased=True)
        h = torch.tanh(self.gain * (z - mean) / torch.sqrt(var + 1e-5) + self.bias)
        logits = h @ self.w2 + self.b2
        return F.cross_entropy(logits, targets)


class GPTBlock(nn.Module):
    """Layer norms before, causal attention of several heads, and an MLP with a GELU, each added to what came in."""

    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.attention(self.ln1(x)).split(c, dim=2)
        q, k, v = (one.view(b, t, self.heads, c // self.heads).transpose(1, 2) for one in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
        scores = scores.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
        y = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(b, t, c)
        x = x + self.projection(y)
        return x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))


class LlamaBlock(nn.Module):
    """RMS norms, rotary positions, grouped attention and a SwiGLU."""

    def __init__(self, width, heads=4, groups=2):
        super().__init__()
        self.heads, self.groups, size = heads, groups, width // heads
        self.norm1, self.norm2 = (nn.Parameter(1 + 0.1 * torch.randn(width)) for _ in range(2))
        self.q, self.o = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.k, self.v = (nn.Linear(width, groups * size, bias=False) for _ in range(2))
        self.gate, self.up = (nn.Linear(width, 2 * width, bias=False) for _ in range(2))
        self.down = nn.Linear(2 * width, width, bias=False)

    def norm(self, x, gain):
        return gain * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)

    def rotated(self, x):
        t, size = x.shape[-2:]
        angles = torch.arange(t, dtype=x.dtype)[:, None] / 10000 ** (torch.arange(0, size, 2, dtype=x.dtype) / size)
        angles = torch.cat((angles, angles), -1)
        x1, x2 = x.chunk(2, -1)
        return x * angles.cos() + torch.cat((-x2, x1), -1) * angles.sin()

    def forward(self, x):
        b, t, c = x.shape
        h = self.norm(x, self.norm1)
        q = self.rotated(self.q(h).view(b, t, self.heads, -1).transpose(1, 2))
        k = self.rotated(self.k(h).view(b, t, self.groups, -1).transpose(1, 2))
        v = self.v(h).view(b, t, self.groups, -1).transpose(1, 2)
        k, v = (one.repeat_interleave(self.heads // self.groups, dim=1) for one in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, c)
        x = x + self.o(y)
        h = self.norm(x, self.norm2)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def blocks(width, dtype=torch.float32):
    """The blocks at a width, with their inputs."""
    torch.manual_seed(5)
    x = torch.randn(2, 8, width, dtype=dtype)
    tokens, targets = torch.randint(0, 27, (16, 3)), torch.randint(0, 27, (16,))
    return {
        "makemore's MLP": (CharacterMLP(width).to(dtype), (tokens, targets)),
        "nanoGPT's block": (GPTBlock(width).to(dtype), (x,)),
        "llama's block": (LlamaBlock(width).to(dtype), (x,)),
    }


class Peak:
    """The most memory of this process above what it had, looked at every few milliseconds."""

    def __enter__(self):
        self.start, self.most, self.ends = _resident(), 0, False
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        self.began = time.time()
        return self

    def __exit__(self, *_):
        self.seconds, self.ends = time.time() - self.began, True
        self.thread.join()

    def _watch(self):
        while not self.ends:
            self.most = max(self.most, _resident() - self.start)
            time.sleep(0.002)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def main(widths) -> None:
    import pullback

    # What is loaded once is counted for none of them.
    pullback.check(torch.sin, torch.ones(2))
    print("width  block             parameters  check         gradcheck, fast mode")
    for width in widths:
        for name, (module, inputs) in blocks(width, torch.float64).items():
            count = sum(one.numel() for one in module.parameters())
            with Peak() as ours:
                report = pullback.check(module, *inputs)
            assert report.ok, report
            wrt = list(module.parameters()) + [one.requires_grad_() for one in inputs if one.is_floating_point()]

            def of_all(*_, module=module, inputs=inputs):
                return module(*inputs)

            with Peak() as theirs:
                torch.autograd.gradcheck(of_all, tuple(wrt), fast_mode=True)
            for one in inputs:
                one.requires_grad_(False)
            print(
                f"{width:5}  {name:16} {count:11,}  {ours.seconds:5.2f} s {ours.most / 2**20:4.0f} MiB"
                f"  {theirs.seconds:5.2f} s {theirs.most / 2**20:4.0f} MiB"
            )


if __name__ == "__main__":
    main([int(width) for width in sys.argv[1:]] or [32, 128])
