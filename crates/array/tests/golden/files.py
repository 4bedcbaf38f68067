"""Writes files.json, stored.npz, deflated.npz and half.npz, arrays as NumPy saves them, and half.safetensors.

Run with NumPy 2.4, ml_dtypes and safetensors (files.json says which). Each case of files.json holds the bytes of an .npy
file in hex, what to find in it, and whether we write the same bytes.
"""

import io
import json
import pathlib

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

HERE = pathlib.Path(__file__).parent


def npy(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    return buffer.getvalue().hex()


def case(name, array, ours, version=None):
    dtype = {"f": "f64" if array.dtype.itemsize == 8 else "f32", "V": "f32"}.get(array.dtype.kind, "i64")
    values = [repr(float(v)) for v in array.reshape(-1)] if dtype != "i64" else [str(int(v)) for v in array.reshape(-1)]
    return {"name": name, "dtype": dtype, "shape": array.shape, "values": values, "ours": ours,
            "npy": npy(array, version)}


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
    case("f2", special.astype(np.float16), False),
    case("big-endian f2", (grid * 0.1).astype(">f2"), False),
    case("bf16", special.astype(ml_dtypes.bfloat16), False),
    # Longer than one chunk of the reader.
    case("long", np.arange(9001, dtype=np.int64).astype(np.uint8), False),
] + [
    case(kind, np.array([np.iinfo(kind).min, 1, min(np.iinfo(kind).max, 2**63 - 1)], dtype=kind), False)
    for kind in ("i1", "i2", "i4", "u1", "u2", "u4", "u8")
]
refused = [
    {"npy": case("u8", np.array([2**63], dtype="u8"), False)["npy"], "message": "npy: 9223372036854775808 is no i64"},
    {"npy": npy(np.array([1j], dtype="c8")), "message": "npy: elements of type '<c8'"},
    {"npy": npy(np.ones(2, dtype=ml_dtypes.float8_e4m3fn)), "message": "npy: elements of type '<V1'"},
]
versions = {"numpy": np.__version__, "ml_dtypes": ml_dtypes.__version__, "safetensors": safetensors.__version__}
lines = ",\n".join(json.dumps(c) for c in cases)
(HERE / "files.json").write_text(
    f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n],\n"refused": {json.dumps(refused)}\n}}\n')
arrays = {"x": grid * 0.1, "dL/dx": (grid - 1).astype(np.float32), "n": np.array(7), "f": np.asfortranarray(grid * 1.5)}
np.savez(HERE / "stored.npz", **arrays)
np.savez_compressed(HERE / "deflated.npz", **arrays, zeros=np.zeros(100_000))
# The same numbers in every format, in files with names that are no file names.
thirds = {name: (grid / 3).astype(kind) for name, kind in
          [("f64", "f8"), ("f32", "f4"), ("f16", "f2"), ("dL/dx", ml_dtypes.bfloat16)]}
thirds |= {"∂L/∂n": grid - 1, "mask": grid % 2 == 0, "s": np.float64(2.5)}
np.savez(HERE / "half.npz", **thirds)
safetensors.numpy.save_file({name: np.asarray(array) for name, array in thirds.items()}, HERE / "half.safetensors")
