def _cbrt(x):
    return torch.sign(x) * torch.abs(x) ** (1 / 3)

def _cumsum(x, axis=0, reverse=False):
    return torch.flip(torch.cumsum(torch.flip(x, (axis,)), axis), (axis,)) if reverse else torch.cumsum(x, axis)

def _eye(n, like):
    return torch.eye(n, dtype=like.dtype, device=like.device)

def _float(x, like):
    return x.to(like.dtype)

def _gather(x, index, axis=0):
    index = torch.as_tensor(index)
    return torch.index_select(x, axis, index.reshape(-1)).reshape(x.shape[:axis] + index.shape + x.shape[axis + 1:])

def _linear_recurrence(a, b, axis=0, reverse=False):
    a, b = torch.movedim(a, axis, 0), torch.movedim(b, axis, 0)
    rows = [b[-1 if reverse else 0]] if len(b) else []
    for k in range(1, len(b)):
        at = len(b) - 1 - k if reverse else k
        row = b[at] + a[at + 1 if reverse else at] * rows[0 if reverse else -1]
        rows = [row] + rows if reverse else rows + [row]
    return torch.movedim(torch.stack(rows), 0, axis) if rows else b

def _logdet(x):
    return torch.linalg.slogdet(x)[1]

def _axes(x, axis):
    return tuple(range(x.ndim)) if axis is None else axis

def _logsumexp(x, axis=None, keepdims=False):
    return torch.logsumexp(x, _axes(x, axis), keepdim=keepdims)

def _maximum(a, b, like=None):
    return torch.maximum(_tensor(a, like), _tensor(b, like))

def _minimum(a, b, like=None):
    return torch.minimum(_tensor(a, like), _tensor(b, like))

def _norm(x, p=2, axis=None, keepdims=False):
    return torch.sum(torch.abs(x) ** p, _axes(x, axis), keepdim=keepdims) ** (1 / p)

def _one_hot(index, n, like):
    return (torch.arange(n, device=like.device) == index).to(like.dtype)

def _ones(*shape, like):
    shape = shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape
    return torch.ones(shape, dtype=like.dtype, device=like.device)

def _pad(x, widths, value=0):
    return torch.nn.functional.pad(x, [width for pair in reversed(widths) for width in pair], value=value)

def _pick(x, index, batch=0):
    index = torch.as_tensor(index)
    rows = x.reshape((-1,) + x.shape[batch:])
    places = index.reshape((rows.shape[0], -1))
    return rows[torch.arange(rows.shape[0])[:, None], places].reshape(index.shape + x.shape[batch + 1:])

def _prod(x, axis=None, keepdims=False):
    axes = _axes(x, axis)
    for one in sorted(axes if isinstance(axes, tuple) else (axes,), reverse=True):
        x = torch.prod(x, one, keepdim=keepdims)
    return x

def _roll(x, shift, axis):
    return torch.roll(x, shift, axis)

def _scatter_add(x, index, size):
    index = torch.as_tensor(index)
    y = torch.zeros((size,) + tuple(x.shape[index.ndim:]), dtype=x.dtype)
    return y.index_add(0, index.reshape(-1), x.reshape((-1,) + tuple(x.shape[index.ndim:])))

def _softmax(x, axis=-1):
    return torch.softmax(x, axis)

def _softplus(x):
    return torch.logaddexp(torch.zeros_like(x), x)

def _sqrt(x):
    return torch.sqrt(x) if torch.is_tensor(x) else x ** 0.5

def _stack(rows, like):
    return torch.stack(rows) if rows else like.new_zeros((0,) + tuple(like.shape))

def _std(x, axis=None, keepdims=False, correction=0):
    return torch.std(x, _axes(x, axis), correction=correction, keepdim=keepdims)

def _step(x):
    return (x > 0).to(x.dtype)

def _stop_gradient(x):
    return x.detach()

def _tensor(x, like):
    return torch.as_tensor(x) if like is None or torch.is_tensor(x) else torch.tensor(x, dtype=like.dtype, device=like.device)

def _tie_share(x, axis=None):
    ties = (x == torch.amax(x, _axes(x, axis), keepdim=True)).to(x.dtype)
    return ties / torch.sum(ties, _axes(x, axis), keepdim=True)

def _transpose(x, first=None, second=None):
    return x.T if first is None else torch.swapaxes(x, first, second)

def _truth(x, like):
    return (x != 0).to(like.dtype)

def _var(x, axis=None, keepdims=False, correction=0):
    return torch.var(x, _axes(x, axis), correction=correction, keepdim=keepdims)

def _vec(x, layout="row"):
    return (x.T if layout == "col" else x).reshape(-1)

def _where(condition, a, b, like=None):
    return torch.where(torch.as_tensor(condition) != 0, _tensor(a, like), _tensor(b, like))

def _zeros(*shape, like):
    shape = shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape
    return torch.zeros(shape, dtype=like.dtype, device=like.device)
