"""Expressions of tensors that come to the same under PyTorch and under `pullback.torch_like`: one a line."""

SETUP = """
torch.manual_seed(3)
F = torch.nn.functional
x, y = torch.randn(4), torch.randn(4)
A, B, S, C = torch.randn(3, 4), torch.randn(4, 3), torch.randn(3, 3), torch.randn(2, 3, 4)
p, SPD, m = torch.rand(3, 4) * 0.8 + 0.1, S @ S.T + torch.eye(3), A > 0
i, t, n = torch.tensor([2, 0, 1]), torch.tensor([1, 0, 3]), torch.tensor([5, 3, 4, 1])
X1, w1, X2, w2 = torch.randn(2, 3, 8), torch.randn(4, 3, 3), torch.randn(1, 2, 6, 6), torch.randn(3, 2, 3, 3)
"""

#: The floats among them, by which gradients are taken.
LEAVES = ("x", "y", "A", "B", "S", "C", "p", "X1", "w1", "X2", "w2", "SPD")

EXPRESSIONS = """
torch.sum(A,1)
A.sum(0,keepdim=True)
A.sum((0,1))
A.mean(-1)
torch.std(A)
A.std(0)
A.var(1)
torch.var(A,dim=0,unbiased=False)
A.var(0,correction=0)
A.prod(1)
A.max()
A.max(1)
A.min(0)
A.amax(1)
A.amin((0,1))
torch.max(x,y)
A.argmax()
A.argmax(1)
A.argmin(0)
A.median()
A.median(1)
A.cumsum(0)
A.cumsum(1)
A.cumprod(1)
torch.logsumexp(A,1)
torch.logsumexp(A,(0,1))
A.norm()
A.norm(dim=1)
A.norm(1,1)
torch.linalg.norm(A)
torch.linalg.norm(x,1)
torch.linalg.vector_norm(x)
torch.linalg.matrix_norm(A)
A.softmax(1)
F.softmax(A,dim=0)
F.log_softmax(A,-1)
x.sort()
A.sort(1,descending=True)
torch.sort(A,dim=0)
x.topk(2)
A.topk(2,dim=0)
x.argsort()
A.argsort(1,descending=True)
torch.flip(A,[0])
A.flip(0,1)
torch.roll(x,1)
torch.roll(A,1,1)
torch.roll(A,(1,2),(0,1))
A.t()
A.transpose(0,1)
A.permute(1,0)
C.permute(2,0,1)
C.movedim(0,-1)
A.reshape(2,6)
A.view(-1)
A.reshape([12])
A.flatten()
C.flatten(1)
A.unsqueeze(-1)
A.unsqueeze(0).squeeze(0)
A.unsqueeze(0).squeeze()
A.expand(2,3,4)
x.repeat(2)
x.repeat(2,2)
x.repeat_interleave(2)
A.tile(2,1)
torch.cat([A,A])
torch.cat((A,A),1)
torch.cat([A,A],dim=-1)
torch.stack([x,y])
torch.stack([x,y],dim=1)
torch.vstack([x,y])
torch.hstack([x,y])
A.split(2,1)
A.chunk(2,dim=1)
torch.unbind(A)
torch.tril(S)
torch.triu(S,1)
torch.diag(x)
torch.diag(S)
torch.diag(S,1)
torch.diagonal(S)
S.diagonal(1)
torch.trace(S)
torch.outer(x,y)
torch.dot(x,y)
torch.kron(A,S)
A@B
torch.mm(A,B)
torch.mv(A,x)
torch.matmul(C,B)
torch.bmm(C,C.transpose(1,2))
torch.addmm(S,A,B)
torch.einsum("ij,kj->ik",A,A)
torch.einsum("bij,jk->bik",C,B)
torch.inverse(S)
torch.linalg.inv(S)
torch.det(S)
torch.linalg.det(S)
torch.logdet(SPD)
torch.linalg.slogdet(S)
torch.linalg.solve(S,A)
torch.linalg.cholesky(SPD)
torch.linalg.eigvalsh(SPD)
torch.linalg.svdvals(A)
torch.linalg.matrix_power(S,2)
torch.matrix_exp(S)
torch.linalg.pinv(A)
torch.cross(S,SPD,dim=1)
torch.where(m,A,p)
torch.where(A>0,A,0.)
A.masked_fill(m,0.)
A[m]
A.masked_select(m)
A.clamp(-0.5,0.5)
A.clamp(min=0)
torch.clamp(A,max=0.1)
A.abs()
A.sign()
A.exp()
A.exp2()
torch.expm1(A)
p.log()
p.log2()
p.log10()
p.log1p()
p.sqrt()
p.rsqrt()
p.reciprocal()
A.sin()
A.cos()
A.tan()
A.sinh()
A.cosh()
A.tanh()
p.asin()
p.acos()
A.atan()
A.asinh()
p.atanh()
torch.atan2(A,p)
A.sigmoid()
p.logit()
A.erf()
A.erfc()
p.erfinv()
p.lgamma()
p.digamma()
A.floor()
A.ceil()
A.round()
A.trunc()
A.frac()
A.pow(2)
A**3
2**A
p**A
A%0.3
torch.remainder(A,0.3)
torch.fmod(A,0.3)
A//0.3
torch.hypot(A,p)
torch.lerp(A,p,0.3)
torch.logaddexp(A,p)
torch.addcmul(A,p,p,value=2)
torch.add(A,p,alpha=2)
torch.sub(A,p,alpha=2)
torch.square(A)
torch.neg(A)
torch.maximum(A,p)
torch.minimum(A,p)
F.relu(A)
F.gelu(A)
F.gelu(A,approximate="tanh")
F.silu(A)
F.elu(A)
F.selu(A)
F.celu(A)
F.leaky_relu(A,0.1)
F.softplus(A)
F.mish(A)
F.hardtanh(A)
F.hardsigmoid(A)
F.hardswish(A)
F.logsigmoid(A)
F.softsign(A)
F.tanhshrink(A)
F.glu(A,1)
F.relu6(A)
F.softmin(A,1)
F.threshold(A,0.1,20.)
F.mse_loss(A,p)
F.mse_loss(A,p,reduction="sum")
F.mse_loss(A,p,reduction="none")
F.l1_loss(A,p)
F.smooth_l1_loss(A,p)
F.huber_loss(A,p)
F.cross_entropy(A,t)
F.cross_entropy(A,t,label_smoothing=0.1)
F.cross_entropy(A,p)
F.cross_entropy(x,torch.tensor(1))
F.cross_entropy(C,torch.tensor([[0,1,2,0],[1,1,0,2]]))
F.nll_loss(F.log_softmax(A,1),t)
F.binary_cross_entropy(p,m.to(A.dtype))
F.binary_cross_entropy_with_logits(A,p)
F.kl_div(F.log_softmax(A,1),p)
F.kl_div(F.log_softmax(A,1),p,reduction="batchmean")
F.cosine_similarity(A,p)
F.cosine_similarity(A,p,dim=0)
F.normalize(A)
F.normalize(A,dim=0)
F.layer_norm(A,[4])
F.layer_norm(A,(4,),x,y)
F.layer_norm(A,[3,4])
F.rms_norm(A,[4])
F.linear(A,B.T)
F.linear(A,B.T,torch.ones(3))
F.embedding(i,A)
F.conv1d(X1,w1)
F.conv1d(X1,w1,stride=2,padding=1)
F.conv2d(X2,w2)
F.max_pool1d(X1,2)
F.max_pool2d(X2,2)
F.avg_pool1d(X1,2)
F.avg_pool2d(X2,3,stride=1)
F.pad(A,(1,2))
F.pad(A,(1,2),value=3.)
F.pad(X1,(1,1),mode="reflect")
F.one_hot(i)
F.one_hot(i,5)
F.group_norm(X1,3)
F.instance_norm(X1)
F.batch_norm(A,None,None,training=True)
F.scaled_dot_product_attention(C,C,C)
F.scaled_dot_product_attention(C,C,C,is_causal=True)
F.unfold(X2,2)
F.interpolate(X1,scale_factor=2)
torch.gather(A,1,torch.tensor([[0,1],[2,3],[1,1]]))
A.gather(0,torch.tensor([[0,1,2,0]]))
A.index_select(1,torch.tensor([0,2]))
torch.index_select(A,0,i)
A.take(torch.tensor([0,5]))
torch.take_along_dim(A,A.argsort(1),1)
A.scatter(1,torch.tensor([[0],[1],[2]]),9.)
A.scatter_add(1,torch.tensor([[0],[1],[2]]),torch.ones(3,1))
torch.zeros(5).index_add(0,i,torch.ones(3))
torch.diff(x)
torch.trapz(x)
torch.cov(A)
torch.corrcoef(A)
torch.cdist(A,p)
torch.quantile(x,0.3)
torch.nansum(A)
torch.nanmean(A)
torch.isnan(A)
torch.isfinite(A)
torch.isinf(A)
(A>0).any()
(A>0).all(1)
torch.logical_and(m,A>0.5)
m.sum()
m.float().mean()
m&(A<1)
~m
A==A
A!=p
A.eq(p)
A.ge(0)
torch.equal(A,A)
torch.allclose(A,A+1e-9)
torch.isclose(A,A)
A.count_nonzero()
torch.meshgrid(x,y)
torch.linspace(0,1,5)
torch.arange(5)
torch.arange(1,7,2)
torch.arange(0,1,0.25)
torch.full((2,2),7)
torch.full((2,),0.5)
torch.eye(3)
torch.eye(2,3)
torch.zeros(2,3)
torch.ones((2,))
torch.zeros_like(A)
torch.ones_like(n)
torch.full_like(A,2.)
torch.empty(0)
torch.tensor([])
torch.randn(3,5)
torch.rand(4)
torch.randint(10,(5,))
torch.randint(2,9,(3,))
torch.normal(0.,2.,(3,))
torch.randn(20)
n+1
n*2
n/2
n//2
n%2
n**2
-n
n.sum()
n.float()
n.max()
n.sort()
n.cumsum(0)
n.prod()
n.abs()
n.double()
n>2
n[n>2]
n.float().mean()
n*0.5
n@n
A[0]
A[:,1]
A[1:]
A[::2]
A[-1,-1]
A[0,1:3]
A[None,:,0]
A[...,0]
A[[0,2]]
A[i]
A[:,[0,1]]
A[i,:]
A[0][1]
A[i,torch.tensor([0,1,2])]
C[0,:,1]
C[:,0]
x[:2]
x[-2:]
list(x)
len(A)
A.shape
A.size()
A.size(0)
A.numel()
A.dim()
A.ndim
A.dtype
n.dtype
m.dtype
A.tolist()
x[0].item()
n[0].item()
m[0,0].item()
float(x[0])
int(n[0])
bool(m[0,0])
f"{x[0]:.3f}"
f"{x}"
A.double()
A.double()+A
A.double()@B.double()
A+torch.tensor(1.,dtype=torch.float64)
torch.tensor([1,2])+torch.tensor([0.5,1.])
torch.tensor(3)*A
torch.tensor([1.5,float("nan"),float("inf")])
torch.tensor([1e10,1.])
torch.tensor([1e-7,1.])
torch.tensor(1e-5)
torch.randn(1001)
torch.zeros(0,3)
torch.tensor([[1,2],[3,4]]).T
torch.tensor([True,False]).sum()
torch.tensor(True)
torch.tensor([[1.,2.],[3.,4.]],dtype=torch.float64)
A.new_zeros(2)
torch.atleast_2d(x)
x.contiguous()
A.is_leaf
A.requires_grad
A.mT
torch.swapaxes(A,0,1)
A.T.contiguous()
A[torch.tensor([True, False, True])]
A[:, torch.tensor([True, False, True, False])]
A[[True, False, True]]
A[m.numpy()]
A[n.numpy()[2:3] - 4, 1:]
A.T.reshape(2, 6)
m + m
m * m
m.max()
m.sort(1)[1]
n.relu()
m.logical_not().any(0)
torch.block_diag(A,S)
torch.vander(x)
torch.heaviside(A,p)
torch.special.expit(A)
torch.nan_to_num(torch.tensor([float("nan"),1.]))
torch.std_mean(A)
torch.var_mean(A,1)
A.view(3,2,2).shape
A.expand_as(A)
A.type_as(n)
x.unfold(0,2,1)
torch.baddbmm(C@B,C,B.expand(2,4,3))
torch.absolute(A)
torch.acosh(1+p)
F.adaptive_avg_pool1d(X1,4)
F.adaptive_max_pool1d(X1,4)
F.adaptive_avg_pool2d(X2,3)
torch.addbmm(S[:,:3],C,C.transpose(1,2))
torch.addcdiv(A,A,p,value=2)
torch.addmv(torch.ones(3),A,x)
torch.addr(A,S[0],x,beta=2,alpha=3)
torch.aminmax(A)
torch.aminmax(A,dim=1)
torch.arctan2(A,p)
torch.atleast_1d(x * 1)
torch.broadcast_to(x,(3,4))
F.channel_shuffle(X2,2)
torch.cholesky_inverse(torch.linalg.cholesky(SPD))
torch.cholesky_solve(A,torch.linalg.cholesky(SPD))
A.clamp_max(0.5)
A.clamp_min(0.5)
A.clip(-1,1)
A.clone()
torch.column_stack([x,y])
torch.concat([A,A])
F.conv_transpose1d(X1,w1.transpose(0,1))
F.conv_transpose2d(X2,w2.transpose(0,1),stride=2)
torch.copysign(A,p-0.5)
F.cosine_embedding_loss(A,p,torch.tensor([1,-1,1]))
torch.cumulative_trapezoid(x)
torch.deg2rad(A)
A.detach()
torch.diag_embed(A)
torch.diagflat(x)
torch.dist(A,p)
torch.dist(A,p,1)
torch.div(A,p)
torch.div(A,p,rounding_mode="floor")
torch.divide(A,p)
F.embedding_bag(torch.tensor([[0,1],[2,0]]),A)
torch.fliplr(A)
torch.flipud(A)
torch.float_power(p,A)
torch.fmax(A,p)
torch.gradient(x)
F.hardshrink(A)
F.softshrink(A)
F.hinge_embedding_loss(A,torch.sign(A))
torch.inner(x,y)
torch.inner(A,A)
x.kthvalue(2)
torch.ldexp(A,torch.tensor(2))
torch.logaddexp2(A,p)
torch.logcumsumexp(A,1)
torch.logical_not(m)
torch.logical_xor(m,p>0.5)
F.margin_ranking_loss(x,y,torch.tensor([1.,-1.,1.,1.]))
torch.moveaxis(C,0,2)
torch.mul(A,p)
torch.multiply(A,p)
torch.mvlgamma(p+2,2)
torch.narrow(A,1,1,2)
A.narrow(0,0,2)
torch.negative(A)
torch.nuclear_norm(A)
F.pairwise_distance(A,p)
torch.pinverse(A)
F.pixel_shuffle(X1.reshape(1,4,4,3),2)
F.pixel_unshuffle(X2,2)
F.poisson_nll_loss(A,p)
F.gaussian_nll_loss(A,p,p)
torch.polygamma(1,p)
F.prelu(A,torch.tensor(0.2))
torch.linalg.qr(B)
torch.rad2deg(A)
torch.ravel(A)
A.reshape_as(A.reshape(2,6))
A.view_as(A)
torch.rsub(A,p)
torch.select(A,1,2)
A.select(0,1)
torch.sinc(A)
torch.subtract(A,p)
torch.special.xlogy(A,p)
torch.xlogy(A,p)
torch.special.entr(p)
torch.special.ndtr(A)
torch.special.log_ndtr(A)
torch.special.ndtri(p)
torch.special.erfcx(A)
torch.special.gammaln(p)
torch.svd(A)[1]
torch.linalg.svd(A)[1]
torch.linalg.eigh(SPD)[0]
torch.linalg.solve_triangular(torch.triu(SPD),A,upper=True)
torch.linalg.vecdot(A,p)
torch.vdot(x,y)
torch.trapezoid(x)
torch.trapezoid(x,y.cumsum(0))
F.triplet_margin_loss(A,p,-p)
torch.true_divide(A,p)
A.unflatten(1,(2,2))
F.local_response_norm(X2,2)
F.multilabel_soft_margin_loss(A,(p>0.5).to(A.dtype))
F.soft_margin_loss(A,torch.sign(p-0.5))
F.fold(F.unfold(X2,2),(6,6),2)
F.upsample_nearest(X2,scale_factor=2)
F.interpolate(X2,scale_factor=2,mode="bilinear")
F.interpolate(X2,size=(4,5),mode="bilinear",align_corners=True)
torch.std_mean(A,1)
torch.nn.functional.avg_pool2d(X2,2,ceil_mode=True)
torch.argsort(x,descending=True)
A.sum(dim=(0,1),keepdim=True)
A.mean((0,1))
torch.softmax(A,1)
torch.log_softmax(A,0)
torch.sigmoid(A).log()
A.norm(p=1)
A.norm("fro")
torch.norm(A,dim=0)
torch.linalg.norm(A,"nuc")
torch.linalg.norm(A,dim=1,ord=1)
A.std(dim=1,keepdim=True)
A.var(unbiased=False)
torch.var(A,1,unbiased=True)
torch.std(A,1,correction=0)
A.max(dim=1,keepdim=True)
A.min(1)[0]
torch.min(x,y)
A.squeeze(0)
A[None].squeeze(dim=0)
A.t() @ A
x.unsqueeze(1) * y
torch.ones(3,1) * x
(A - A.mean(1,keepdim=True)) / A.std(1,keepdim=True)
torch.zeros(3,4).masked_fill(m,1.)
torch.triu(torch.ones(3,3),diagonal=1)
torch.tril(torch.ones(3,3)).to(torch.bool)
A.unbind(1)
C.flatten(0,1)
C.sum((0,2))
C.view(2,-1)
C.transpose(-1,-2)
C.permute((2,0,1))
torch.stack((x,y)).mean(0)
torch.cat((x,y)).view(2,4)
torch.split(x,[1,3])
torch.full((2,),3,dtype=torch.float32)
torch.arange(5,dtype=torch.float32)
torch.linspace(-1,1,3)
torch.logspace(0,2,3)
torch.linalg.matrix_norm(A, 2)
torch.linalg.matrix_norm(A, 1)
torch.linalg.matrix_norm(C, float("inf"))
torch.linalg.matrix_norm(C, -2, keepdim=True)
torch.linalg.matrix_norm(A, -1)
torch.linalg.matrix_norm(A, "nuc")
torch.linalg.norm(A, 2)
torch.linalg.norm(A, 1)
torch.linalg.norm(C, "fro", (0, 2))
torch.linalg.norm(C, dim=(0, 2))
torch.linalg.vector_norm(A, float("inf"), dim=1)
torch.linalg.vector_norm(C, 3, dim=(0, 1))
torch.linalg.lstsq(B, B @ S).solution
torch.linalg.svd(A, full_matrices=False).S
torch.linalg.eigh(SPD).eigenvalues
torch.linalg.slogdet(SPD).logabsdet
A.sort(1).values
A.topk(2).indices
torch.atleast_3d(x)
torch.broadcast_tensors(x * 1, A * 1)[0]
torch.cartesian_prod(x,y)
torch.combinations(x)
torch.chain_matmul(A,B,S)
torch.linalg.multi_dot([A,B,S])
torch.dstack([A,A])
torch.hsplit(A,2)
torch.vsplit(B,2)
torch.special.i0(A)
torch.special.i1(A)
torch.i0(A)
A.masked_scatter(m,p)
torch.nanmedian(x)
torch.nanmedian(A,1)
torch.nanquantile(x,0.3)
torch.pdist(A)
torch.tensordot(A,B,1)
torch.tensordot(C,A,dims=([1],[0]))
torch.cummax(x,0)
torch.cummin(A,1)
torch.gradient(A)
torch.linalg.vander(x)
A.sum_to_size(1,4)
F.multi_margin_loss(A,t)
F.embedding(i,A)
F.layer_norm(C,[3,4])
F.layer_norm(A,(4,),x,y,1e-3)
A.kthvalue(2,1)
A.kthvalue(2,dim=0,keepdim=True)
torch.max(A,1,keepdim=True)
torch.max(A,dim=0)
A.median(dim=0,keepdim=True)
torch.var_mean(A)
torch.std(A,False)
torch.logical_or(m,p>0.5)
torch.fmin(A,p)
torch.meshgrid([x,y])
torch.arcsin(p)
torch.roll(C,(1,-1),(0,2))
C.flip(0,2)
C.flip([1])
torch.triangular_solve(A,SPD)
A.nanmedian()
torch.repeat_interleave(x,2)
torch.bmm(C,C.mT)
F.scaled_dot_product_attention(C,C,C,scale=0.3)
F.interpolate(X1,size=5,mode="linear")
torch.concatenate([A,A],1)
torch.unsqueeze(A,0)
""".strip().splitlines()

#: What says a node: PyTorch's is that of the last of several operations, or of one that depends on sizes.
OF_SEVERAL = {
    "median", "matrix_norm", "repeat_interleave", "logdet", "matrix_power", "softsign", "tanhshrink", "l1_loss", "cross_entropy", "kl_div",
    "cosine_similarity", "normalize", "layer_norm", "rms_norm", "max_pool1d", "max_pool2d", "avg_pool1d", "pad", "instance_norm",
    "scaled_dot_product_attention", "interpolate", "take_along_dim", "scatter", "trapz", "cov", "corrcoef", "quantile", "nanmean",
    "meshgrid", "atleast_1d", "atleast_2d", "contiguous", "adaptive_avg_pool1d", "adaptive_max_pool1d", "cosine_embedding_loss",
    "rounding_mode", "float_power", "gradient", "hinge_embedding_loss", "margin_ranking_loss", "nuclear_norm", "pairwise_distance",
    "poisson_nll_loss", "gaussian_nll_loss", "ndtr", "vecdot", "trapezoid", "triplet_margin_loss", "local_response_norm",
    "multilabel_soft_margin_loss", "upsample_nearest", "split", "squeeze", "norm", "lstsq", "unflatten", "inner",
    "atleast_3d", "broadcast_tensors", "cartesian_prod", "combinations", "chain_matmul", "multi_dot", "dstack", "hsplit", "vsplit", "i1",
    "nanmedian", "nanquantile", "tensordot", "vander", "sum_to_size",
}  # fmt: skip

#: What PyTorch does not differentiate, and Pullback does.
NOT_DIFFERENTIATED = {
    "A//0.3", "torch.vander(x)", "torch.heaviside(A,p)", "F.soft_margin_loss(A,torch.sign(p-0.5))",
}  # fmt: skip

#: What PyTorch computes with constants in single precision (1/6), or with a series cut short (the trigamma function).
IN_FEWER_DIGITS = {"F.hardsigmoid(A)": 1e-7, "p.digamma()": 1e-8, "torch.polygamma(1,p)": 1e-8}

#: Programs that are refused, in the same words.
REFUSED = """
x.requires_grad_().exp().backward()
x.sum().backward()
torch.autograd.grad(x.sum(), x)
x.requires_grad_(); torch.autograd.grad((x * 2).sum(), y)
x.requires_grad_(); y.requires_grad_(); torch.autograd.grad((x * 2).sum(), y)
x.requires_grad_(); L = (x * x).sum(); L.backward(); L.backward()
x.requires_grad_(); x.add_(1)
x.requires_grad_(); x -= 1
x.requires_grad_(); (x * 2).requires_grad_(False)
n.requires_grad_()
torch.tensor([1, 2], requires_grad=True)
x.retain_grad()
x.requires_grad_(); (x * 2).backward(torch.ones(3))
x.requires_grad_(); x.numpy()
A.item()
len(x[0])
list(x[0])
bool(A)
x[4]
x[-5]
A[0, 0, 0]
x[::-1]
x[0][0]
x()
x.nothing
A @ B.double()
x @ x.double()
x @ B.double()
A @ x.double()
torch.allclose(x, x.double())
torch.arange(3, 1)
torch.autograd.functional.jacobian(lambda x: 3, x)
torch.autograd.functional.hessian(lambda x: x, x)
import copy; copy.deepcopy(x.requires_grad_() * 2)
x.expand(2, 4).add_(1)
A.T.view(-1)
C.permute(2, 0, 1).view(8, 3)
n.exp_()
n.mul_(0.5)
m.mul_(2)
n.mean()
n.std()
m - m
1 - m
torch.dot(A, A)
torch.mm(A, x)
torch.mm(C, A)
A[torch.tensor([3])]
A[[0, -4]]
x[torch.tensor([0.5])]
x.requires_grad_(); x[0].zero_()
x.requires_grad_(); x.view(2, 2).add_(1)
""".strip().splitlines()

#: What is printed to the character: what moves numbers, makes them, or has whole ones.
PRINTED = """
A
A.T
C
C[0]
x[:2]
A[None]
A > 0
~m
m.sum()
(A > 0).any()
n * 2
n / 2
n // 2
n @ n
torch.eye(2, 3)
torch.arange(0, 1, 0.25)
torch.full((2, 2), 7)
torch.tensor([])
torch.empty(0, 3)
torch.tensor([1.5, float("nan"), float("inf")])
torch.tensor([1e10, 1.0])
torch.tensor([1e-7, 1.0])
torch.tensor(1e-5)
torch.randn(1001)
torch.randn(40)
torch.rand(3, 3)
torch.randint(10, (5,))
torch.tensor([1.0, 2.0], dtype=torch.float64)
torch.tensor([1.0], requires_grad=True)
torch.randn(7, requires_grad=True)
torch.randn(7, dtype=torch.float64, requires_grad=True)
(A.requires_grad_() * 1).T
A.requires_grad_()[0]
torch.cat([A, A]).requires_grad_().double()
A.requires_grad_().sum(0).unsqueeze(0)
torch.zeros(3, 40).requires_grad_() * 2
torch.tensor([True, False]), torch.tensor(True)
torch.float32, n.dtype, m.dtype
A.shape, A.size(), A.size(-1), A[0].shape.numel()
f"{x[0]:.3f} {n[0]} {A.shape}"
A.tolist()
x.requires_grad_().exp().grad_fn.name()
torch.max(n, 0)
x.requires_grad_().clone(), x.detach()
A.requires_grad, A.is_leaf, (A.requires_grad_() * 2).is_leaf
""".strip().splitlines()


#: What is written to a view, and what a view says of what it is of.
VIEWS = [
    """x=torch.arange(12.).reshape(3,4); v=x[0]; v.zero_(); out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x[:,1]; v+=10; out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x.T; v[0]=7.; out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x.view(-1); v[5]=7.; out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x.T.reshape(-1); v[5]=7.; out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x[1:][0]; v.fill_(3.); out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x[1]; x.mul_(2); out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x[1]; w=x.t(); v.add_(100); out = (x,v,w)""",
    """x=torch.arange(12.).reshape(3,4); a,b=x.split(2,1); b.zero_(); out = (x,a,b)""",
    """x=torch.arange(12.).reshape(3,4); a,b=x.chunk(2,1); b.copy_(torch.ones(3,2)); out = (x,a,b)""",
    """x=torch.arange(12.).reshape(3,4); d=x.diagonal(); d.zero_(); out = x""",
    """x=torch.arange(12.).reshape(3,4); x[x>3]=0.; out = x""",
    """x=torch.arange(12.).reshape(3,4); x[0]+=1; x[:,0]*=5; out = x""",
    """x=torch.arange(12.).reshape(3,4); v=x.unsqueeze(0); v[0,1,2]=99.; out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x.permute(1,0)[1]; v.sub_(1); out = (x,v)""",
    """x=torch.arange(12.).reshape(3,4); c=x.clone(); c[0]=9.; out = (x,c)""",
    """x=torch.arange(12.).reshape(3,4); c=x[[0,1]]; c.zero_(); out = (x,c)""",
    """x=torch.arange(12.).reshape(3,4); v=x.expand(2,3,4); x[0]=5.; out = v""",
    """x=torch.arange(12.).reshape(3,4); v=x[0].detach(); v.zero_(); out = (x,v)""",
    """x=torch.ones(3,requires_grad=True); y=x*2; v=y[0]; v.mul_(5); y.sum().backward(); out = (y.detach(),x.grad)""",
    """x=torch.ones(3,requires_grad=True); y=x*2; v=y.view(3,1); v[1]=7.; (y*y).sum().backward(); out = (y.detach(),x.grad)""",
    """x=torch.ones(3,requires_grad=True); y=x*2; y[0]=x[1]*3; y.sum().backward(); out = (y.detach(),x.grad)""",
    """x=torch.ones(2,2,requires_grad=True)
with torch.no_grad(): x[0]-=0.5; x.T[0].zero_()
out = (x.detach(),)""",
    """x=torch.arange(6).reshape(2,3); v=x[1]; v+=1; out = (x,v,x.sum())""",
    """x=torch.arange(12.).reshape(3,4); out = [r.sum().item() for r in x]""",
    """x=torch.arange(12.).reshape(3,4)
for r in x: r.mul_(2)
out = x""",
    """m=torch.tensor([[True,False],[False,True]]); v=m[0]; v[1]=True; out = (m,v)""",
    """x=torch.arange(12.).reshape(3,4); v=x.flatten(); x.zero_(); out = v""",
    """x=torch.arange(12.).reshape(3,4); v=x.squeeze(); v[0]=1.; out = x""",
    """x=torch.arange(3.)
for _ in range(100): x=x.view(3)
x[0]=9.; out = x""",
]
