"""Writes prints.json: how PyTorch prints tensors of many kinds.

Run with PyTorch 2.15.0. Each case holds a dtype, a shape, values (as text, since JSON has no nan) that are
repeated until they fill the shape, and PyTorch's text. The default dtype is set to the tensor's, so that no dtype shows.
"""

import itertools
import json
import math
import pathlib
import random

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


# Halfway between two numbers of the digits shown, exactly: rounded to the even one.
TIES = [
    [0.03125, 0.09375, 0.15625, 0.21875], [-0.03125, 1.0], [0.5, 1.5, 2.5, 0.25], [100005.0, 1.0], [100015.0, -1.0],
    [1000050.0, 1000150.0, 3.0], [2**-14, 3 * 2**-14], [1.00005, 0.00005], [16777217.0, 4.5], [99995.0, 1.0], [999995.0, 7.0],
]


def neighbours(dtype, value):
    """The value and its nearest neighbours of that precision."""
    around = torch.tensor(value, dtype=DTYPES[dtype])
    ends = [torch.nextafter(around, torch.tensor(end, dtype=DTYPES[dtype])) for end in (0.0, inf)]
    return [v.item() for v in (ends[0], around, ends[1])]


def signed(rng, lowest, highest):
    """A number whose size has its logarithm drawn evenly from the range."""
    return rng.choice((-1, 1)) * 10 ** rng.uniform(lowest, highest)


def hard_cases(dtype):
    """Around each threshold of the notation, ties, subnormals, and numbers at random over many magnitudes."""
    rng = random.Random(0)
    for values in TIES:
        yield case(dtype, [len(values)], values)
    for small, large in ((1.0, 1000.0), (0.7, 700.0), (0.0011, 1.1), (3e4, 3e7), (1e-4, 0.1)):
        for value in neighbours(dtype, large):
            yield case(dtype, [2], [small, -value])
    for bound in (1e8, 1e-4, 9999.99995, 99999.5, 0.99995, 0.00005):
        for value in neighbours(dtype, bound):
            yield case(dtype, [], [value])
            yield case(dtype, [3], [-value, 0.0, value])
    for values in ([1e-45], [1e-40, -1e-39], [1e-38, 3e38], [2.0**-126, 0.0, -0.0], [0.0, -0.0, nan], [-0.0, 0.5, -0.25],
                   [-0.00004, 0.3], [inf, -inf, nan], [inf, 1.0, -2.0, nan], [inf, 1e-5, -nan], [-inf, 0.5, 12.25]):
        yield case(dtype, [len(values)], values)
        yield case(dtype, [2, 2, 3], values)
    for _ in range(60):
        spread = rng.choice((0.5, 2.9, 3.0, 3.1, 6, 24))
        lowest = rng.uniform(-12, 12 - spread)
        values = [signed(rng, lowest, lowest + spread) for _ in range(rng.randint(1, 6))]
        if rng.random() < 0.3:
            values[0] = rng.choice((0.0, -0.0, inf, -inf, nan))
        yield case(dtype, rng.choice(([], [len(values)], [3, 4], [2, 3, 2], [2, 1, 2, 3], [13])), values)
    for _ in range(20):
        whole = [float(rng.randint(-10 ** rng.randint(0, 9), 10 ** rng.randint(0, 9))) for _ in range(4)]
        yield case(dtype, rng.choice(([4], [2, 5], [2, 2, 2])), whole)
    for shape in ([1001], [1009], [7, 150], [150, 7], [6, 167], [4, 5, 60], [9, 8, 15], [1, 1500], [1500, 1], [3, 2, 4, 50]):
        spread = rng.choice((1, 2.9, 12))
        values = [signed(rng, -3, spread - 3) for _ in range(17)]
        yield case(dtype, shape, values)
    for shape in ([1009], [9, 8, 15]):
        # What is left out has no say in how the rest is written.
        yield case(dtype, shape, [0.25, 1.5, -2.0] + [1.0] * (math.prod(shape) // 2 - 3) + [1e12])


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
        # Each bracket takes a column off the line.
        for shape in ([9], [1, 9], [1, 1, 9], [1, 2, 1, 9], [1, 1, 1, 1, 11]):
            yield case(dtype, shape, noise)
            yield case(dtype, shape, [v * 1e-6 for v in noise])
        for shape in ([0], [0, 3], [3, 0], [2, 0, 5], [0] * 20, [0] * 21, [0] * 30, [10, 10] + [0] * 18,
                      [10, 100] + [0] * 18):
            yield case(dtype, shape, [])
        yield from hard_cases(dtype)
    for values in INTEGERS:
        for shape in ([], [len(values)], [2, 3], [40], [1500], [3, 4, 5]):
            yield case("i64", shape, values)
    for shape in ([0], [2, 0], [0] * 13, [0] * 14, [0] * 15, [0] * 21, [10] + [0] * 13, [100] + [0] * 13):
        yield case("i64", shape, [])


OUT = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(c) for c in cases())
OUT.write_text(f'{{"versions": {json.dumps({"torch": torch.__version__})},\n"cases": [\n{lines}\n]}}\n')
