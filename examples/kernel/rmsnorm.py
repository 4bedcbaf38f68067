"""A hand-written backward pass of RMSNorm, and the three lines that dump it. Run with PyTorch and safetensors."""

import torch
from safetensors.torch import save_file


class RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, g):
        u = (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        ctx.save_for_backward(x, g, u)
        return g * (x / u)

    @staticmethod
    def backward(ctx, dy):
        x, g, u = ctx.saved_tensors
        return dy * g / u, (dy * (x / u)).sum(0)


torch.manual_seed(0)
x = torch.randn(7, 16, dtype=torch.bfloat16, requires_grad=True)
g = torch.randn(16, dtype=torch.bfloat16, requires_grad=True)
y = RMSNorm.apply(x, g)
dy = torch.randn_like(y)

y.backward(dy)
dump = {"x": x, "g": g, "y": y, "dL/dy": dy, "dL/dx": x.grad, "dL/dg": g.grad}
save_file({name: tensor.detach() for name, tensor in dump.items()}, "rmsnorm.safetensors")
