"""Writes files.json, stored.npz and deflated.npz: arrays as NumPy saves them.

Run with NumPy 2.4 (files.json says which). Each case of files.json holds the bytes of an .npy file in hex, what to find
in it, and whether we write the same bytes.
"""

import io
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent


def case(name, array, ours, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    dtype = {"f": "f64" if array.dtype.itemsize == 8 else "f32"}.get(array.dtype.kind, "i64")
    values = [repr(v) for v in array.reshape(-1).tolist()] if dtype != "i64" else [str(int(v)) for v in array.reshape(-1)]
    return {"name": name, "dtype": dtype, "shape": array.shape, "values": values, "ours": ours,
            "npy": buffer.getvalue().hex()}


grid = np.arange(6).reshape(2, 3)
special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, 0.1])
cases = [
    case("f8", grid * 0.1, True),
    case("f4", (grid * 0.1).astype(np.float32), True),
    case("i8", grid - 2, True),
    case("special f8", special, True),
    case("scalar", np.array(2.5), True),
    case("vector", np.arange(3.0), True),
    case("empty", np.zeros((0,)), True),
    case("empty matrix", np.zeros((2, 0, 3), dtype=np.float32), True),
    case("cube", np.arange(30.0).reshape(2, 3, 5), True),
    case("fortran", np.asfortranarray(grid * 1.5), False),
    case("fortran cube", np.asfortranarray(np.arange(30.0).reshape(2, 3, 5)), False),
    case("big-endian f8", (grid * 0.1).astype(">f8"), False),
    case("big-endian f4", (grid * 0.1).astype(">f4"), False),
    case("big-endian i2", (grid - 300).astype(">i2"), False),
    case("bool", grid % 2 == 0, False),
    case("version 2", grid * 0.1, False, (2, 0)),
    case("version 3", grid * 0.1, False, (3, 0)),
    # Longer than one chunk of the reader.
    case("long", np.arange(9001, dtype=np.int64).astype(np.uint8), False),
] + [
    case(kind, np.array([np.iinfo(kind).min, 1, min(np.iinfo(kind).max, 2**63 - 1)], dtype=kind), False)
    for kind in ("i1", "i2", "i4", "u1", "u2", "u4", "u8")
]
refused = [
    {"npy": case("u8", np.array([2**63], dtype="u8"), False)["npy"], "message": "npy: 9223372036854775808 is no i64"},
    {"npy": case("c8", np.array([1j], dtype="c8").view("f4").astype("f2"), False)["npy"],
     "message": "npy: elements of type '<f2'"},
]
versions = {"numpy": np.__version__}
lines = ",\n".join(json.dumps(c) for c in cases)
(HERE / "files.json").write_text(
    f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n],\n"refused": {json.dumps(refused)}\n}}\n')
arrays = {"x": grid * 0.1, "dL/dx": (grid - 1).astype(np.float32), "n": np.array(7), "f": np.asfortranarray(grid * 1.5)}
np.savez(HERE / "stored.npz", **arrays)
np.savez_compressed(HERE / "deflated.npz", **arrays, zeros=np.zeros(100_000))
