def _cumsum(x, axis=0, reverse=False):
    return np.flip(np.cumsum(np.flip(x, axis), axis=axis), axis) if reverse else np.cumsum(x, axis=axis)

def _erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)

def _erfc(x):
    return np.vectorize(math.erfc, otypes=[float])(x)

def _gather(x, index, axis=0):
    return np.take(x, np.asarray(index), axis=axis)

def _kron(a, b):
    return np.kron(np.atleast_2d(a), np.atleast_2d(b))

def _lgamma(x):
    return np.vectorize(math.lgamma, otypes=[float])(x)

def _linear_recurrence(a, b, axis=0, reverse=False):
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    rows = [b[-1 if reverse else 0]] if len(b) else []
    for k in range(1, len(b)):
        at = len(b) - 1 - k if reverse else k
        row = b[at] + a[at + 1 if reverse else at] * rows[0 if reverse else -1]
        rows = [row] + rows if reverse else rows + [row]
    return np.moveaxis(np.stack(rows), 0, axis) if rows else b

def _logdet(x):
    return np.linalg.slogdet(x)[1]

def _logsumexp(x, axis=None, keepdims=False):
    largest = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis=axis)

def _norm(x, p=2, axis=None, keepdims=False):
    return np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p)

def _one_hot(index, n):
    return np.where(np.arange(n) == index, 1.0, 0.0)

def _ones(*shape):
    return np.ones(shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape)

def _pad(x, widths, value=0):
    return np.pad(x, widths, constant_values=value)

def _pick(x, index, batch=0):
    index = np.asarray(index)
    rows = x.reshape((-1,) + x.shape[batch:])
    places = index.reshape((rows.shape[0], -1))
    return rows[np.arange(rows.shape[0])[:, None], places].reshape(index.shape + x.shape[batch + 1:])

def _relu(x):
    return np.maximum(x, 0)

def _scatter_add(x, index, size):
    index = np.asarray(index)
    y = np.zeros((size,) + x.shape[index.ndim:], x.dtype)
    np.add.at(y, index, x)
    return y

def _sigmoid(x):
    return np.where(x < 0, np.exp(np.minimum(x, 0)), 1.0) / (1 + np.exp(-np.abs(x)))

def _softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)

def _softplus(x):
    return np.logaddexp(0, x)

def _stack(rows, like):
    return np.stack(rows) if rows else np.zeros((0,) + np.shape(like))

def _step(x):
    return np.where(x > 0, 1.0, 0.0)

def _stop_gradient(x):
    return x

def _tie_share(x, axis=None):
    ties = np.where(x == np.max(x, axis=axis, keepdims=True), 1.0, 0.0)
    return ties / np.sum(ties, axis=axis, keepdims=True)

def _transpose(x, first=None, second=None):
    return np.transpose(x) if first is None else np.swapaxes(x, first, second)

def _truth(x):
    return np.where(x != 0, 1.0, 0.0)

def _vec(x, layout="row"):
    return np.reshape(np.transpose(x) if layout == "col" else x, -1)

def _zeros(*shape):
    return np.zeros(shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape)
