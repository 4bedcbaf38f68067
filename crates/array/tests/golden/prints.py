"""Writes prints.json: how PyTorch prints tensors of many kinds.

Run with PyTorch 2.15.0. Each case holds a dtype, a shape, values (as text, since JSON has no nan) that are
repeated until they fill the shape, and PyTorch's text. The default dtype is set to the tensor's, so that no dtype shows.
"""

import itertools
import json
import math
import pathlib

import torch

DTYPES = {"f32": torch.float32, "f64": torch.float64, "i64": torch.int64}


def case(dtype, shape, values):
    torch.set_default_dtype(DTYPES[dtype] if dtype != "i64" else torch.float32)
    count = math.prod(shape)
    repeated = itertools.islice(itertools.cycle(values), count)
    tensor = torch.tensor(list(repeated), dtype=DTYPES[dtype]).reshape(shape)
    return {"dtype": dtype, "shape": shape, "values": [repr(v) for v in values], "text": str(tensor)}


inf, nan = math.inf, math.nan
FLOATS = [
    [1.0], [0.0], [-0.0], [-1.5], [1.0, 2.0, 3.0], [1.0, -2.0], [0.5, -0.25, 1.0], [1e-5], [1e-4], [9.9999e-5],
    [1e8], [1.5e8], [1e9, 1.0], [1.0, 1000.0], [1.0, 1000.1], [1.5, 1500.1], [0.001, 1.0], [0.03125, 0.09375],
    [0.00005, 0.00015, 0.1], [2.5, 3.5], [nan], [inf], [-inf, 1.0], [nan, 1.5, inf], [nan, 1.0], [0.0, 1.5],
    [-0.0, 1.5], [-0.00001, 1.0], [-0.0, 2.0], [nan, 1e-7], [0.0, 1e-7], [-1e-300, 1e300], [123456.789],
    [99999.99999, 100.0], [1e20], [3.0, 1e5], [0.99995, 1.00005], [-1e-30], [5e-324, 1.0],
]
INTEGERS = [[0], [1, -2, 3], [10, 100, -1000], [2**62, -2**63], [7]]


def cases():
    for dtype in ("f32", "f64"):
        for values in FLOATS:
            if dtype == "f32" and any(math.isfinite(v) and abs(v) > 3e38 for v in values):
                continue
            for shape in ([], [len(values)], [2, 3]):
                yield case(dtype, shape, values)
        torch.manual_seed(0)
        noise = [round(v, 6) for v in torch.randn(47, dtype=torch.float64).tolist()]
        for shape in ([7], [8], [9], [10], [30], [3, 11], [12, 1], [2, 3, 5], [2, 1, 2, 3], [1000], [1001], [40, 30], [2, 600],
                      [600, 2], [5, 6, 40], [11, 3, 50], [7, 7, 7, 7], [1, 1, 1, 1, 1], [2, 1, 9, 2]):
            yield case(dtype, shape, noise)
            yield case(dtype, shape, [v * 1e-6 for v in noise])
        for shape in ([0], [0, 3], [3, 0], [2, 0, 5], [0] * 30):
            yield case(dtype, shape, [])
    for values in INTEGERS:
        for shape in ([], [len(values)], [2, 3], [40], [1500], [3, 4, 5]):
            yield case("i64", shape, values)
    for shape in ([0], [2, 0]):
        yield case("i64", shape, [])


OUT = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(c) for c in cases())
OUT.write_text(f'{{"versions": {json.dumps({"torch": torch.__version__})},\n"cases": [\n{lines}\n]}}\n')
