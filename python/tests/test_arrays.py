"""Whatever Python passes in gives numbers or an error, and never a panic."""

import threading

import numpy as np
import pytest

import pullback

SQUARE = "x: [n=3] ~ randn\nL = sum(x^2)"


def verdict(x, dx):
    report = pullback.check(SQUARE, data={"x": x, "dL/dx": dx})
    return report.exit_code if report.exit_code == 2 else report.claims[0].verdict


NUMBERS = np.array([1.0, -2.0, 0.5, 4.0])


@pytest.mark.parametrize(
    "x",
    [
        NUMBERS,
        NUMBERS.astype(np.float32),
        NUMBERS.astype(np.float16),
        NUMBERS.astype(">f8"),
        NUMBERS[::-1],
        np.stack([NUMBERS, NUMBERS])[:, ::2][0],
        np.broadcast_to(np.float64(3.0), (4,)),
        np.frombuffer(b"\0" + NUMBERS.tobytes(), dtype=np.uint8)[1:].view(np.float64),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)).T[0],
        np.ma.masked_array(NUMBERS, mask=[0, 1, 0, 0]),
        NUMBERS.tolist(),
    ],
    ids=lambda x: f"{type(x).__name__}-{getattr(x, 'dtype', '')}-{getattr(x, 'strides', '')}",
)
def test_every_layout_is_read(x):
    assert verdict(x, 2 * np.asarray(x)) == "holds"
    assert verdict(x, np.asarray(x)) in ("wrong", "ambiguous")


def test_integers_and_booleans():
    text = "i: [2] ~ randint(0, 3)\nx: [3] ~ randn\nL = sum(x[i])"
    for dtype in (np.int8, np.uint8, np.int32, np.int64, np.uint64):
        data = {"i": np.array([0, 0], dtype), "x": NUMBERS[:3], "dL/dx": np.array([2.0, 0.0, 0.0])}
        assert pullback.check(text, data=data).ok


@pytest.mark.parametrize(
    "x, error, told",
    [
        (np.zeros(3, complex), TypeError, "complex128"),
        (np.zeros(3, object), TypeError, "object"),
        (np.array(["a", "b"]), TypeError, "`x`"),
        (np.zeros(3, "M8[s]"), TypeError, "datetime"),
        (np.zeros(3, [("a", "f8")]), TypeError, "`x`"),
        (np.array([2**64 - 1], np.uint64), ValueError, "63 bits"),
    ],
    ids=str,
)
def test_what_is_no_array_of_numbers_is_an_error(x, error, told):
    with pytest.raises(error, match=told):
        pullback.check(SQUARE, data={"x": x, "dL/dx": NUMBERS})


@pytest.mark.parametrize("axes", [33, 64])
def test_more_axes_than_a_file_can_declare(axes):
    report = pullback.check(SQUARE, data={"x": np.zeros([1] * axes), "dL/dx": NUMBERS})
    assert report.exit_code == 2


def test_a_size_of_zero():
    report = pullback.check(SQUARE, data={"x": np.zeros(0), "dL/dx": np.zeros(0)})
    assert report.exit_code in (0, 1, 2) and isinstance(str(report), str)


def test_a_subclass_is_read_as_the_array_that_it_is():
    class Odd(np.ndarray):
        def __array_finalize__(self, _):
            pass

        def __getitem__(self, _):
            raise RuntimeError("nobody should ask")

    assert verdict(NUMBERS.view(Odd), 2 * NUMBERS) == "holds"


@pytest.mark.parametrize("text", ["", "x = [", "\0", "x: [3] ~ randn\n" * 3, "😀 = 1", "dL/dx = 1", "(" * 10000])
def test_texts_that_are_invalid_are_reports_with_a_place(text):
    report = pullback.check(text)
    assert report.exit_code == 2 and report.errors and not report.ok
    with pytest.raises(pullback.PullbackError):
        report.raise_if_wrong()


def test_threads_work_side_by_side():
    found = []

    def work(factor):
        for _ in range(5):
            found.append((factor, verdict(NUMBERS, factor * NUMBERS)))

    threads = [threading.Thread(target=work, args=(factor,)) for factor in (1, 2, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20 and all((verdict == "holds") == (factor == 2) for factor, verdict in found)


def test_numbers_come_back_as_arrays():
    result = pullback.run("x: [2] = [1, 2]\ni: [3] ~ randint(0, 2)\ny = outer(x, x)\nL = sum(y)")
    assert result["y"].tolist() == [[1, 2], [2, 4]] and result["y"].dtype == np.float64
    assert result.gradients["dL/dx"].tolist() == [6, 6]


def test_a_jacobian_has_its_numbers():
    found = pullback.jacobian("W: [2, 3] ~ randn\nx: [3] ~ randn\ny = W @ x", of="y", wrt="x")
    values = pullback.run("W: [2, 3] ~ randn\nx: [3] ~ randn\ny = W @ x\nV = W * 1")
    assert np.array_equal(found.array, values["V"]) and "<svg" in found._repr_html_()
    assert found.formula and "Kronecker" not in str(found)
