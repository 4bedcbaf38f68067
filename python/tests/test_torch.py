"""PyTorch: functions trace, hold with PyTorch's own gradients, and what is wrong with a backward pass is told."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: its tests did not run")

import blocks  # noqa: E402
import functions  # noqa: E402
import slips  # noqa: E402
from torch.autograd.gradcheck import GradcheckError  # noqa: E402

import pullback  # noqa: E402
import pullback.torch  # noqa: E402

F = torch.nn.functional
D = torch.float64

#: PyTorch has no factorisations in 16 bits.
NOT_IN_16_BITS = {"linear_algebra", "decompositions"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", functions.FUNCTIONS)
def test_functions_hold_with_the_gradients_of_pytorch(name, dtype):
    if dtype == torch.bfloat16 and name in NOT_IN_16_BITS:
        return
    function = functions.FUNCTIONS[name][0]
    report = pullback.check(function, *functions.arguments(name, dtype))
    assert report.ok, f"{report.source}\n{report}"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kernel", slips.KERNELS, ids=lambda kernel: kernel.name)
def test_right_backward_passes_hold(kernel, dtype):
    report = pullback.check(kernel.function(), *slips.arguments(kernel, dtype), reference=kernel.forward)
    assert report.ok, f"{report.source}\n{report}"


def test_half_precision():
    for name in ("rms_norm", "swiglu", "attention"):
        assert pullback.check(functions.FUNCTIONS[name][0], *functions.arguments(name, torch.float16)).ok


def test_slips_are_found_and_called_by_their_names():
    told, right = 0, 0
    missed = []
    for kernel in slips.KERNELS:
        for kind, replaced, by, words in kernel.slips:
            function = kernel.function(replaced, by)
            report = pullback.check(function, *slips.arguments(kernel), reference=kernel.forward)
            assert report.exit_code == 1, f"{kernel.name}, {kind}: not seen\n{report}"
            wrong = [claim for claim in report.claims if not claim.passes]
            causes = {claim.diagnosis.cause for claim in wrong if claim.diagnosis is not None}
            causes |= {one.cause for claim in wrong for one in claim.candidates or []}
            told += 1
            right += bool(causes & words)
            if not causes & words:
                missed.append((kernel.name, kind, causes))
    assert told >= 50 and right >= 0.85 * told, missed


def test_names_and_places_are_those_of_the_users_code():
    def layer(x, weight):
        hidden = torch.tanh(x @ weight)
        scale, shift = hidden.mean(0), hidden.std(0)
        return (hidden * scale + shift).sum()

    traced = pullback.trace(layer, torch.ones(4, 3, dtype=D), torch.ones(3, 2, dtype=D))
    text = traced.text()
    assert "hidden = tanh(x @ weight)" in text and "# test_torch.py:" in text
    assert "scale = mean(hidden, axis=0)" in text and "shift = std(hidden, axis=0, correction=1)" in text
    line = next(number for number, line in enumerate(text.split("\n"), 1) if line.startswith("hidden"))
    place = traced.place(line)
    assert place.file == __file__ and place.function == "layer"
    assert "dy/dweight" in str(pullback.derive(traced, wrt="weight")) or "dL/dweight" in str(
        pullback.derive(traced, wrt="weight")
    )


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return w * x**3

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        return 3 * w * dy * x**2, dy * x**3


class Constant(Cube):
    """Right, and its second derivative is not: what it saved is taken as a constant."""

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        return 3 * w * dy * x.detach() ** 2, dy * x**3


def test_second_derivatives():
    x, w = (torch.randn(4, dtype=D, requires_grad=True) for _ in range(2))
    assert pullback.check(Cube, x, w, order=2).ok and pullback.check(Constant, x, w).ok
    report = pullback.check(Constant, x, w, order=2)
    assert report.claim("x").verdict == "wrong" and report.claim("w").verdict == "holds"
    assert pullback.torch.gradcheck(Constant.apply, (x, w))
    assert pullback.torch.gradgradcheck(Cube.apply, (x, w))
    with pytest.raises(GradcheckError, match="dL/dx"):
        pullback.torch.gradgradcheck(Constant.apply, (x, w))
    assert not pullback.torch.gradgradcheck(Constant.apply, (x, w), raise_exception=False)
    with pytest.raises(ValueError, match="require"):
        pullback.torch.gradcheck(Cube.apply, (x.detach(), w.detach()))


class HalfForgotten(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, dy):
        return dy @ ctx.saved_tensors[1].t(), None


def test_a_gradient_that_is_none():
    report = pullback.check(HalfForgotten, torch.randn(4, 3), torch.randn(3, 2))
    assert report.claim("w").diagnosis.cause == "missing-gradient" and report.claim("x").verdict == "holds"
    # What nobody asks for may be missing.
    assert pullback.check(HalfForgotten, torch.randn(4, 3, requires_grad=True), torch.randn(3, 2)).ok


class Nothing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sin()

    @staticmethod
    def backward(ctx, dy):
        return None


def test_a_gradient_that_is_none_where_there_is_no_other():
    report = pullback.check(Nothing, torch.randn(4))
    assert report.exit_code == 1 and report.claim("x").diagnosis.cause == "missing-gradient"


def wrapped(forward):
    return lambda *args: forward(*args)


def squared(ctx, x):
    ctx.save_for_backward(x)
    return x**2


class Square(torch.autograd.Function):
    forward = staticmethod(squared)

    @staticmethod
    def backward(ctx, dy):
        return 2 * dy * ctx.saved_tensors[0]


class Wrapped(Square):
    forward = staticmethod(wrapped(squared))


class WithoutGrad(Square):
    forward = staticmethod(torch.no_grad()(squared))


class Mixed(Square):
    forward = staticmethod(torch.amp.custom_fwd(squared, device_type="cpu"))
    backward = staticmethod(torch.amp.custom_bwd(Square.backward, device_type="cpu"))


class Detached(Square):
    @staticmethod
    def forward(ctx, x):
        with torch.enable_grad():
            y = x.detach().requires_grad_() * x.data
        return squared(ctx, x) + 0 * y.detach()


class Copied(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, dy):
        return dy


taken_before = Wrapped.apply


def test_what_runs_without_grad_inside_of_a_function_is_not_cut_off():
    x = torch.randn(3, 4, dtype=D)
    for function in (Square, Wrapped, WithoutGrad, Mixed, Detached):
        assert pullback.check(function, x).ok, function.__name__
        assert pullback.check(lambda x, f=function: f.apply(x * 2).sin(), x).ok, function.__name__
    assert pullback.check(lambda x: taken_before(x * 2), x).ok
    assert pullback.check(lambda x: Copied.apply(x * 2) ** 2, x).ok
    layer = torch.nn.Linear(4, 2)
    layer.register_full_backward_hook(lambda *_: None)
    assert pullback.check(layer, x.float()).ok
    # And outside of one it is; nobody is watched any longer.
    assert "stop_gradient" in str(pullback.trace(lambda x: x.detach() * Square.apply(x), x))
    assert Square.forward is squared and Square.apply(x.requires_grad_()).requires_grad


class OfNumPy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.numpy()))

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.saved_tensors[0].cos()


class OfANumber(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.sum().item()

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * x.sum() + (dy * x).sum()


def test_what_leaves_pytorch_wants_a_reference():
    x = torch.randn(3, dtype=D)
    for function, reference in ((OfNumPy, torch.sin), (OfANumber, lambda x: x * x.sum())):
        with pytest.raises(pullback.PullbackError, match="reference="):
            pullback.check(function, x)
        assert pullback.check(function, x, reference=reference).ok


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, dy, dz):
        return 2 * dy + 99 * dz


def test_a_reference_with_fewer_outputs_is_none():
    with pytest.raises(pullback.PullbackError, match="2 tensors, and the reference 1"):
        pullback.check(Twice, torch.randn(3), reference=lambda x: x * 2)


def test_what_a_mask_chooses_is_written_in_order():
    def written(x):
        y, mask = x * 1, torch.tensor([[True, False], [True, False]])
        y[mask] = y[mask] * 2
        y[y > 0] = y[y > 0] ** 2
        return y

    assert pullback.check(written, torch.tensor([[1.5, -0.3], [-2.2, 0.6]], dtype=D)).ok


def test_what_is_written_into_has_its_axes_in_any_order():
    def written(x):
        y = torch.zeros_like(x.t())
        y[0] = x[:, 0] * 2
        z = (x.t() * 3).clamp_(min=-4)
        z[1:, ::2] = y[1:, ::2] + x.t()[1:, ::2] ** 2
        return y + z.t().t().sigmoid_()

    assert pullback.check(written, torch.randn(3, 4, dtype=D)).ok
    images = torch.randn(2, 3, 4, 4, dtype=D).contiguous(memory_format=torch.channels_last)
    assert pullback.check(lambda x: (x * 2).sigmoid_(), images).ok


def test_buffers_are_what_they_were():
    layer = torch.nn.BatchNorm1d(4).double()
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    x = torch.randn(5, 4, dtype=D)
    assert pullback.check(layer, x).ok and pullback.torch.audit(layer, x) is not None
    assert all(torch.equal(buffer, before[name]) for name, buffer in layer.named_buffers())


def test_a_gradient_of_another_shape_is_judged_and_not_refused():
    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, b):
            ctx.save_for_backward(x, w)
            return x @ w.t() + b

        @staticmethod
        def backward(ctx, dy):
            x, w = ctx.saved_tensors
            return dy @ w, x.t() @ dy, dy.sum(1)

    class Swapped(Linear):
        @staticmethod
        def backward(ctx, dy):
            x, w = ctx.saved_tensors
            return dy @ w, dy.sum(0), dy.t() @ x

    arguments = [torch.randn(5, 3, dtype=D), torch.randn(4, 3, dtype=D), torch.randn(4, dtype=D)]
    for function, expected in (
        (Linear, ["holds", "transposed-factor", "wrong-axis"]),
        (Swapped, ["holds", "swapped-claims", "swapped-claims"]),
    ):
        report = pullback.check(function, *arguments)
        assert [c.diagnosis.cause if c.diagnosis else c.verdict for c in report.claims] == expected


def test_several_outputs_and_outputs_that_are_not_used():
    def several(x):
        return x.sin(), x.argmax(), (x**2).sum()

    x = torch.randn(4, 3, dtype=D)
    assert pullback.check(several, x).ok
    report = pullback.check(several, x, cotangents=(torch.randn(4, 3), None))
    assert report.ok and report.source.count("dL/d") == 1
    with pytest.raises(pullback.PullbackError, match="cotangent"):
        pullback.check(several, x, cotangents=(torch.randn(2, 3), None))


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(6, 4, dtype=D).t(),
        torch.randn(4, 1, dtype=D).expand(4, 6),
        torch.randn(8, 12, dtype=D)[::2, ::2],
        torch.randn(4, 6, 2, dtype=D)[..., 0],
    ],
    ids=["transposed", "stretched", "stepped", "selected"],
)
def test_arguments_that_are_not_contiguous(x):
    class TakesStridesForGranted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return 2 * dy * x.as_strided(x.shape, (x.shape[1], 1))

    assert x.shape == (4, 6)
    assert pullback.check(lambda x: x**2, x).ok
    assert pullback.check(TakesStridesForGranted, x.contiguous(), reference=lambda x: x**2).ok
    if x.untyped_storage().nbytes() < 8 * x.numel():
        # It would read behind the end of what there is.
        return
    assert not pullback.check(TakesStridesForGranted, x, reference=lambda x: x**2).ok


def test_what_is_written_in_place_and_what_is_not_deterministic_is_said():
    class Writes(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x**2

        @staticmethod
        def backward(ctx, dy):
            ctx.x.data.mul_(2)
            return dy * ctx.x

    report = pullback.check(Writes, torch.randn(3, dtype=D))
    assert report.ok and any("written to in place" in remark for remark in report.remarks)

    class Random(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, dy):
            return 2 * dy * (1 + 1e-3 * torch.rand_like(dy))

    report = pullback.check(Random, torch.randn(3, dtype=D))
    assert not report.ok and any("not deterministic" in remark for remark in report.remarks)
    assert "not deterministic" in str(report) and "not deterministic" in report._repr_html_()


def test_modules_parameters_and_closures_are_judged_too():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 2))
    report = pullback.check(module, torch.randn(5, 3))
    assert report.ok and len(report.claims) == 5
    w, c = torch.randn(3, dtype=D, requires_grad=True), torch.randn(3, dtype=D)
    report = pullback.check(lambda x: (x * w + c).sin(), torch.randn(3, dtype=D))
    assert report.ok and [claim.claim for claim in report.claims] == ["dL/dx", "dL/dw"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_blocks_of_networks_are_checked_whole(dtype):
    for name, (module, inputs) in blocks.blocks(16, dtype).items():
        report = pullback.check(module, *inputs)
        assert report.ok, f"{name}\n{report.source}\n{report}"
        parameters = sum(1 for _ in module.parameters())
        assert len(report.claims) >= parameters


def test_layers_of_the_library_are_checked_whole():
    torch.manual_seed(1)
    block = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    assert pullback.check(block, torch.randn(2, 3, 8)).ok
    assert pullback.check(torch.nn.LSTM(3, 4), torch.randn(3, 2, 3)).ok


def test_randomness_is_held():
    assert pullback.check(lambda x: F.dropout(x, 0.5) * torch.rand(4), torch.randn(5, 4)).ok


def test_what_is_cut_off_is_cut_off_in_the_program():
    def cut(x):
        with torch.no_grad():
            scale = x.abs().max()
        return x / scale + x.detach()

    assert pullback.check(cut, torch.randn(4, dtype=D)).ok


def test_an_operation_that_is_not_known_is_named_with_its_place():
    with pytest.raises(pullback.PullbackError, match=r"aten::_fft_r2c` \(test_torch.py:\d+\).*\n.*reference="):
        pullback.check(lambda x: torch.fft.rfft(x).abs(), torch.randn(8))


@pytest.mark.parametrize(
    "x",
    [torch.zeros(3, dtype=torch.complex64), torch.eye(3).to_sparse(), torch.zeros(3, device="meta")],
    ids=["complex", "sparse", "meta"],
)
def test_tensors_without_real_numbers_are_refused(x):
    with pytest.raises(pullback.PullbackError, match="`x` is a .* tensor"):
        pullback.check(lambda x: x * 2, x)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (1,) * 33, ()], ids=str)
def test_shapes_that_are_awkward(shape):
    report = pullback.check(lambda x: (x * x).sin(), torch.randn(shape, dtype=D))
    assert report.ok or report.exit_code == 2


def test_another_forward_pass_is_not_judged():
    report = pullback.check(torch.sin, torch.randn(3), reference=torch.cos)
    assert report.exit_code == 2 and "not what" in str(report)


def test_spans_say_where_they_stand_in_python():
    kernel = slips.KERNELS[1]
    report = pullback.check(kernel.function("dy * g", "dy"), *slips.arguments(kernel), reference=kernel.forward)
    spans = [claim.diagnosis.span for claim in report.claims if claim.diagnosis is not None]
    assert any(span.file and span.file.endswith("slips.py") and span.file_line for span in spans)


def test_a_function_is_asked_again_where_that_tells_causes_apart():
    calls = []

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            calls.append(x.clone())
            ctx.save_for_backward(x)
            return (x**2).mean()

        @staticmethod
        def backward(ctx, dy):
            return 2 * dy * ctx.saved_tensors[0]

    report = pullback.check(Counted, torch.randn(4, dtype=D))
    assert report.claims[0].diagnosis.cause in ("missing-factor", "extra-factor")
    assert len({tuple(x.tolist()) for x in calls}) > 1


def test_audit_says_where_a_path_is_cut():
    class Silent(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            return None

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name in ("used", "detached", "unwatched", "rounded", "silent", "unused"):
                setattr(self, name, torch.nn.Linear(3, 3, bias=False))
            self.table = torch.nn.Embedding(4, 3)

        def forward(self, x):
            h = self.detached(x).detach()
            with torch.no_grad():
                k = self.unwatched(x)
            i = (self.rounded(x) > 0).long().sum() % 4
            return self.used(x + h + k) + self.table(i) + Silent.apply(self.silent(x))

    found = pullback.torch.audit(Net(), torch.ones(2, 3))
    by = {one.name.split(".")[0]: [cut.by for cut in one.cuts] for one in found.parameters if not one.reached}
    assert by == {
        "detached": ["detach"],
        "unwatched": ["no_grad"],
        "rounded": ["integer"],
        "silent": ["function"],
        "unused": [],
    }
    assert found["used.weight"].reached and found["table.weight"].reached and not found.ok
    cut = found["silent.weight"].cuts[0]
    assert cut.operation == "Silent" and cut.place.file == __file__ and "Silent" in str(found)
