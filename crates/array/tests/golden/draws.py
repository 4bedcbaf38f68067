"""Writes draws.json: what PyTorch's CPU generator draws, bit by bit.

Run with PyTorch 2.15.0 (CPU, capability AVX512 and AVX2: both give the same file) and NumPy 2; any Python 3.
The file says which versions made it.

Each case is a seed and a sequence of calls, so that what one call leaves behind for the next (the place in the stream,
the second normal of a pair) is tested too. Values are stored as the hex digits of their bits, one after the other.
"""

import json
import pathlib

import numpy as np
import torch

SIZES = [0, 1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 100]
DTYPES = {"f32": torch.float32, "f64": torch.float64}


def bits(tensor):
    array = tensor.contiguous().numpy().reshape(-1)
    view = array.view({4: np.uint32, 8: np.uint64}[array.itemsize])
    return "".join(f"{v:0{2 * array.itemsize}x}" for v in view)


def draw(call):
    kind, shape = call["fn"], call["shape"]
    dtype = DTYPES.get(call.get("dtype"))
    a, b = call.get("args", (None, None))
    if kind == "rand":
        return torch.rand(shape, dtype=dtype)
    if kind == "randn":
        return torch.randn(shape, dtype=dtype)
    if kind == "normal":
        return torch.empty(shape, dtype=dtype).normal_(a, b)
    if kind == "uniform":
        return torch.empty(shape, dtype=dtype).uniform_(a, b)
    return torch.randint(a, b, shape)


def case(seed, *calls):
    torch.manual_seed(seed)
    return {"seed": seed, "calls": [{**call, "bits": bits(draw(call))} for call in calls]}


def call(fn, shape, dtype=None, args=None):
    out = {"fn": fn, "shape": shape}
    if dtype:
        out["dtype"] = dtype
    if args:
        out["args"] = args
    return out


def cases():
    # Seed notebook 000: four calls in f32, the kept normal goes from one to the next.
    yield case(0, *(call("randn", shape, "f32") for shape in ([2, 3], [3], [2], [2])))
    for dtype in DTYPES:
        for seed, size in enumerate(SIZES):
            yield case(seed, call("randn", [size], dtype), call("rand", [size], dtype))
        yield case(2**31 + 5, call("randn", [1000], dtype))
        yield case(42, call("rand", [1000], dtype))
        # Sizes that end inside of a block, at every place, near the points where sine and cosine vanish.
        yield case(7, *(call("randn", [size], dtype) for size in range(16, 33)))
        # Across a refill of the twister's 624 words.
        yield case(3, call("rand", [623], dtype), call("randn", [3, 5], dtype), call("randn", [5, 7], dtype))
        yield case(11, call("normal", [3], dtype, [1.5, 0.3]), call("normal", [23], dtype, [-0.7, 2.1]),
                   call("normal", [4], dtype, [0.1, 1e-3]), call("uniform", [5], dtype, [-0.3, 0.7]),
                   call("uniform", [21], dtype, [1.1, 3.7]), call("uniform", [2], dtype, [2.0, 2.0]))
    # The kept normal goes from one dtype to the other, past blocks, uniforms and integers.
    yield case(5, call("randn", [1], "f32"), call("rand", [3], "f64"), call("randn", [1], "f64"),
               call("randn", [3], "f64"), call("randn", [20], "f32"), call("randint", [2], None, [0, 10]),
               call("randn", [1], "f32"), call("randn", [2, 2], "f32"))
    yield case(2**63 + 12345, call("randn", [7], "f32"), call("rand", [2], "f32"))
    yield case(6, *(call("randint", [6], None, args) for args in (
        [0, 10], [-5, 5], [3, 4], [0, 2**28 - 1], [0, 2**28], [0, 2**28 + 1], [0, 2**32 - 1], [0, 2**32],
        [0, 2**32 + 1], [-2**40, 2**41], [-2**63, 2**63 - 1])))


OUT = pathlib.Path(__file__).with_suffix(".json")
versions = {"torch": torch.__version__, "numpy": np.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}
lines = ",\n".join(json.dumps(c) for c in cases())
OUT.write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
