"""What others try operations on: the shapes and arguments of PyTorch's OpInfo samples, as calls of the `.grad` language.

Run with Python 3.11, PyTorch 2.15.0 (CPU) and expecttest:

    python opinfo.py     writes opinfo.json beside this file

Of each differentiable operation of PyTorch's table up to SAMPLES samples in float64 are taken, small ones of different calls. A call is
written as it is in PyTorch, with its own name behind its module, or as a method where it is none else, and its own words for arguments; what
the language does not have is a case all the same: crates/lang/tests/samples.rs counts which share is understood and equal.

    name    the operation and the sample's number
    call    the expression, in terms of the inputs' names
    inputs  {name: {shape, data, dtype?}}
    output, cotangent, vjp   as in ops.json
"""

import json
from pathlib import Path

import torch
from torch.testing._internal.common_methods_invocations import op_db

HERE = Path(__file__).parent
SAMPLES = 3
MOST_ENTRIES = 60

# Not of numbers that a derivative is asked of: random numbers, complex numbers, sparse and quantised ones, memory formats, views of storage.
LEFT_OUT = (
    "rand bernoulli normal multinomial dropout empty complex polar sparse quantiz as_strided item to_sparse stft istft fft hfft view_as_real "
    "conj angle real imag chalf cdouble cfloat bfloat16 half byte char short int long bool double float uniform cauchy exponential geometric "
    "log_normal rrelu jiterator new_ resize_ signal window histogram tensor_split nonzero unique bincount argwhere allclose isclose equal "
    "__r _refs narrow_copy sgn special ops. torch.ops out_of native_ _segment segment_reduce geqrf lu ormqr householder ldl eig eigvals "
    "cond matrix_rank tensorinv tensorsolve hash clone contiguous to_ to cauchy_ scaled_mm zero_ fill put index_put select_scatter slice_scatter "
    "diagonal_scatter view_copy alias scatter_reduce index_reduce addr chain unsafe nested multi_head max_unpool fractional rms_norm combinations"
).split()

def is_left_out(name):
    parts = name.replace("nn.functional.", "").replace("linalg.", "")
    if name.startswith(("_", "masked.")) or parts.endswith(("_copy", "_ex", "backward")) or name in ("where", "mH", "mT", "frexp"):
        return True
    return any(parts == word or (len(word) > 3 and word in parts) for word in LEFT_OUT)


def plain(tensor):
    result = {"shape": list(tensor.shape), "data": tensor.detach().reshape(-1).tolist()}
    if not tensor.is_floating_point():
        result["data"] = [int(x) for x in result["data"]]
        result["dtype"] = "int64"
    return result


def written(value, inputs):
    """An argument as the language writes it; tensors become inputs."""
    if isinstance(value, torch.Tensor):
        inputs.append(value)
        return f"x{len(inputs) - 1}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple, torch.Size)):
        return "[" + ", ".join(written(item, inputs) for item in value) + "]"
    raise TypeError(type(value))


def entries(value):
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, (list, tuple)):
        return sum(entries(item) for item in value)
    return 0


def spelled(op, arguments):
    """A call as people write it."""
    if op.name in ("polygamma", "einsum", "nn.functional.embedding", "nn.functional.embedding_bag"):
        # The table gives the order, or the indices, second, and PyTorch takes them first.
        arguments = [arguments[1], arguments[0], *arguments[2:]]
    if (op.name, op.variant_test_name) == ("linalg.pinv", "singular"):
        # The table tries it on a product of its arguments.
        arguments = [f"{arguments[0]} @ {arguments[1]}.mT"]
    found = torch
    for part in op.name.split("."):
        found = getattr(found, part, None)
    if found is None and hasattr(torch.Tensor, op.name):
        return f"{arguments[0]}.{op.name}({', '.join(arguments[1:])})"
    return f"{op.name.replace('nn.functional', 'F') if 'functional' in op.name else 'torch.' + op.name}({', '.join(arguments)})"


def case(op, sample, number):
    arguments = (sample.input, *sample.args)
    if entries(arguments) + entries(tuple(sample.kwargs.values())) > MOST_ENTRIES or entries(sample.input) == 0:
        return None
    inputs = []
    try:
        call = [written(value, inputs) for value in arguments]
        call += [f"{key}={written(value, inputs)}" for key, value in sample.kwargs.items()]
    except TypeError:
        return None
    if any(not (x.dtype in (torch.float64, torch.int64, torch.bool) and torch.isfinite(x).all()) for x in inputs):
        return None
    output = op.op(sample.input, *sample.args, **sample.kwargs)
    several = isinstance(output, (tuple, list))
    place = 0
    if several:
        found = [k for k, x in enumerate(output) if isinstance(x, torch.Tensor) and x.requires_grad]
        if not found:
            return None
        place = found[0]
        output = output[place]
    if not isinstance(output, torch.Tensor) or not output.requires_grad or output.numel() > MOST_ENTRIES:
        return None
    if output.dtype != torch.float64 or not torch.isfinite(output).all():
        return None
    generator = torch.Generator().manual_seed(number)
    cotangent = torch.round(torch.randn(output.shape, generator=generator, dtype=torch.float64), decimals=3)
    names = {f"x{k}": x for k, x in enumerate(inputs)}
    leaves = {name: x for name, x in names.items() if x.requires_grad}
    gradients = torch.autograd.grad((output * cotangent).sum(), list(leaves.values()), allow_unused=True)
    vjp = {n: torch.zeros_like(x) if g is None else g for (n, x), g in zip(leaves.items(), gradients)}
    if not all(torch.isfinite(g).all() for g in vjp.values()):
        return None
    text = spelled(op, call) + (f"[{place}]" if several else "")
    return {
        "name": f"{op.name}{' ' + op.variant_test_name if op.variant_test_name else ''} {number}",
        "call": text,
        "inputs": {n: plain(x) for n, x in names.items()},
        "output": plain(output),
        "cotangent": plain(cotangent),
        "vjp": {n: plain(g) for n, g in vjp.items()},
    }


def main():
    torch.set_num_threads(1)
    cases, skipped = [], 0
    for op in op_db:
        if is_left_out(op.name) or torch.float64 not in op.dtypes or not op.supports_autograd:
            continue
        torch.manual_seed(0)
        taken, calls = 0, set()
        for number, sample in enumerate(op.sample_inputs("cpu", torch.float64, requires_grad=True)):
            if taken == SAMPLES or number > 60:
                break
            try:
                made = case(op, sample, number)
            except Exception:
                skipped += 1
                continue
            if made is None or made["call"] in calls:
                continue
            calls.add(made["call"])
            cases.append(made)
            taken += 1
    (HERE / "opinfo.json").write_text("[\n" + ",\n".join(json.dumps(c, allow_nan=False) for c in cases) + "\n]\n")
    print(f"{len(cases)} cases of {len({c['name'].split()[0] for c in cases})} operations, {skipped} samples skipped")


if __name__ == "__main__":
    main()
