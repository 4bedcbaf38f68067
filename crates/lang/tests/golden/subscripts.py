"""Golden data of indexing: what NumPy gives, for the language to be compared with.

Run with Python 3.11 and NumPy 2.4.6:

    python subscripts.py     writes subscripts.json beside this file

Each case is the text between the brackets, in NumPy's own notation, applied to an array of the given shape whose
entries are 0, 1, 2, … in row-major order, so that the result says where each entry came from.
"""

import json
from pathlib import Path

import numpy as np

CASES = {
    (7,): [
        "0", "-1", "-7", "6", ":", "1:", ":-1", "::2", "::-1", "5:1:-2", "-3:", ":100", "-100:3", "100:", "3:3",
        "5:2", "2:5:-1", "::-3", "-2::-1", ":2:-1", "6:0:-1", "::100", "1:6:7", "...", "None", ":, None", "None, :",
        "[0, 2, 2]", "[-1, 0]", "[[0, 1], [2, 3], [6, -7]]", "..., 3", "3, ...", "1:3, ...",
    ],
    (3, 5): [
        "1", "-1", ":, 2", "1, 2", "-1, -1", "0:2, 1:4:2", "::-1, ::-1", "..., 0", "0, ...", "None, 1", "1, None",
        ":, None, :", "None, :, None, ::2", "1:1, :", "[2, 0]", ":, [4, 0, 4]", "1:, [1, 3]", "[0, 2], ::2",
        "None, [0, 2]", "[2, 0], None", "1, [4, 0]", "[2, 0], 1", ":, None, [3]", "...",
        "[0, 2, 1], [4, 0, -1]", "[[0], [2]], [1, 3, 4]", "[-1], [0, 2]", "None, [0, 1], [2, 3]",
    ],
    (2, 3, 5): [
        "1", ":, 1", "..., 1", "0, ..., 1", "1, 2, 3", "::-1, 1:, ::2", "1, :, None, 2", "0, [2, 1]", ":, [0, 2], 1:3",
        "..., [0, 4]", "1, [2], ...", ":, -1, -2", "[1, 0, 1], 1, ::-2", "..., None", "[0, 1], [2, 0]", ":, [0, 2], [4, 1]", "[1, 0], [2, 2], [0, 4]", "[0, 1], 1, [3, 2]",
        "[1, 0], [[0], [2]], ::2",
    ],
}


def case(shape, text):
    result = eval(f"x[{text}]", {"x": np.arange(np.prod(shape)).reshape(shape)})
    return {"shape": shape, "index": text, "result": {"shape": result.shape, "data": result.ravel().tolist()}}


cases = [case(shape, text) for shape, texts in CASES.items() for text in texts]
target = Path(__file__).with_suffix(".json")
target.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
