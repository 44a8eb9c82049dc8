"""The loops of convolutions: minimal filtering, windows in lines and written out, exact sums."""

from __future__ import annotations

import concurrent.futures
import itertools
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from convolution_cases import EXAMPLES, Case, Pair, assert_close, contractions
from hypothesis import given, settings, strategies as st

from scratchgen.backend import compiled
from scratchgen.backend.convolution import (
    columns,
    conv2d,
    conv2d_transpose,
    conv2d_weight,
    minimal,
    use_exact_convolution,
)
from scratchgen.backend.convolution.geometry import Geometry
from scratchgen.backend.convolution.lines import Lines

pytestmark = pytest.mark.host_only
with_loops = pytest.mark.skipif(not compiled.available(), reason="no loops")

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@given(length=st.integers(1, 40), taps=st.integers(1, 8), stride=st.integers(1, 4))
@settings(max_examples=60)
def test_minimal_filtering_is_a_convolution(length: int, taps: int, stride: int) -> None:
    a, b, g, *_ = minimal.filtering(length, taps, stride, FLOAT64)
    rng = np.random.default_rng(0)
    d, w = rng.standard_normal(len(b)), rng.standard_normal(taps)
    expected = np.correlate(d, w)[::stride]
    assert a.shape[1] == len(expected) <= length
    assert np.allclose(a.T @ ((g @ w) * (b.T @ d)), expected, rtol=0, atol=1e-11)
    # read the other way: the gradient with respect to the taps
    cotangent = rng.standard_normal(len(expected))
    gradient = [cotangent @ d[i : i + stride * len(expected) : stride][: len(expected)] for i in range(taps)]
    assert np.allclose(g.T @ ((b.T @ d) * (a @ cotangent)), gradient, rtol=0, atol=1e-11)


def test_minimal_filtering_multiplies_less() -> None:
    way = minimal.filtering(28, 3, 1, FLOAT32)
    assert (way.points, way.outputs) == (9, 7)
    strided = minimal.filtering(14, 4, 2, FLOAT32)
    assert (strided.points, strided.outputs) == (16, 7)
    for taps, stride in itertools.product(range(1, 12), range(1, 5)):
        way = minimal.filtering(100, taps, stride, FLOAT64) if minimal.applies(taps, stride) else None
        assert way is None or way.points < way.outputs * taps


@pytest.mark.parametrize("size", [(28, 28), (14, 14), (7, 7), (3, 5), (41, 9), (120, 100)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 1), (3, 4)])
def test_rounding_errors_of_float32(size: Pair, padding: Pair) -> None:
    # Evaluation and interpolation subtract large numbers from each other, which a plain sum does not.
    spare = size[0] + 2 * padding[0] - 3, size[1] + 2 * padding[1] - 3
    case = Case(3, (24, 20), (3, 3), (1, 1), padding, (1, 1), 1, spare)
    arrays = case.arrays(np.float32)
    exact = contractions(case, *(array.astype(np.float64) for array in arrays))
    for ours, expected in zip(contractions(case, *arrays), exact, strict=True):
        assert ours.dtype == np.float32
        assert np.sqrt(np.mean((ours - expected) ** 2)) <= 5e-6 * expected.std()
        assert np.abs(ours - expected).max() <= 5e-5 * expected.std()


LARGE = [
    *(case._replace(batch=5, spare=(23, 18)) for case in EXAMPLES),
    Case(5, (6, 7), (3, 2), (1, 2), (1, 0), (1, 1), 1, (23, 18)),  # no window too many
    Case(5, (1, 9), (4, 4), (2, 2), (1, 1), (1, 1), 1, (24, 24)),  # few channels in
    Case(5, (9, 1), (3, 3), (1, 1), (1, 1), (1, 1), 1, (25, 25)),  # few out, turned round
    Case(5, (9, 1), (3, 3), (1, 1), (0, 3), (1, 1), 1, (25, 25)),  # too much padding for that
    Case(5, (12, 8), (5, 3), (1, 1), (2, 1), (1, 1), 1, (40, 60)),  # longer rows than a segment
]


def formulas(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The three contractions by the formulas, whatever the arrays."""
    geometry = Geometry.of(case.kernel, *case.options)
    last, first = (0, 2, 3, 1), (0, 3, 1, 2)
    x, g = x.transpose(last), g.transpose(last)
    y = columns.correlate.formula(x, w, geometry=geometry, size=g.shape[1:3])
    x_bar = columns.correlate_transpose.formula(g, w, geometry=geometry, size=x.shape[1:3])
    return (
        y.transpose(first),
        x_bar.transpose(first),
        columns.correlate_weight.formula(x, g, geometry=geometry),
    )


@with_loops
@pytest.mark.parametrize("case", LARGE)
def test_loops_are_the_formulas(case: Case) -> None:
    arrays = case.arrays()
    exact = formulas(case, *arrays)
    single = [array.astype(np.float32) for array in arrays]
    assert_close(formulas(case, *single), exact, 2e-5)
    assert_close(contractions(case, *single), exact, 2e-5)
    with use_exact_convolution():
        assert_close(contractions(case, *single), exact, 2e-6)


@with_loops
@pytest.mark.parametrize("case", LARGE)
def test_a_bias_is_added_to_each_pixel(case: Case) -> None:
    x, w, g = case.arrays(np.float32)
    y, x_bar, _ = contractions(case, x, w, g)
    rng = np.random.default_rng(1)
    for transposed, before in ((False, y), (True, x_bar)):
        b = rng.standard_normal(before.shape[1]).astype(np.float32)
        if transposed:
            after = conv2d_transpose(g, w, *case.options, output_size=case.size, bias=b)
        else:
            after = conv2d(x, w, *case.options, bias=b)
        assert np.allclose(after, before + b[:, None, None], rtol=1e-5, atol=1e-5)


@with_loops
def test_which_way_serves_which_shape() -> None:
    from scratchgen.loops.backend.convolution.columns import _filters

    images = np.zeros((2, 8, 8, 16), np.float32)

    def of(kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> Geometry:
        return Geometry.of(kernel, stride, 0, dilation, groups)

    assert all(_filters(images, g) for g in (of(3), of(4, 2), of(3, 2), of(5), of(8)))
    assert not any(_filters(images, g) for g in (of(1), of(2, 2), of(3, dilation=2), of(3, groups=2), of(9)))
    assert not _filters(images[..., :3], of(3))
    assert not _filters(images[:0], of(3))
    with use_exact_convolution():
        assert not _filters(images, of(3))


@given(
    st.integers(1, 9),
    st.integers(1, 6),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(-4, 3), st.integers(1, 5)), min_size=1, max_size=2),
)
def test_windows_along_lines(width: int, wanted: int, stride: int, spans: list[tuple[int, int]]) -> None:
    begin, end = min(first for first, _ in spans), max(first + taps for first, taps in spans)
    lines = Lines.of(width, wanted, stride, begin, end)
    row = np.arange(1.0, width + 1)
    inside = row[lines.pixels]
    one = np.zeros(lines.length)
    one[lines.left : lines.left + len(inside)] = inside
    pixels = np.concatenate([one, one, np.zeros(lines.tail)])  # two rows, one after another
    padded = np.pad(row, (4, 60))
    for first, taps in spans:
        expected = [padded[4 + first + stride * i :][:taps] for i in range(wanted)]
        for line in range(2):
            at = line * lines.length + first - begin
            seen = [pixels[at + stride * i :][:taps] for i in range(wanted)]
            assert np.array_equal(seen, expected)


@with_loops
def test_chunks_and_pieces_cover_large_images(monkeypatch: pytest.MonkeyPatch) -> None:
    from scratchgen.loops.backend.convolution import filtered, windows

    exact = [formulas(case, *case.arrays()) for case in LARGE]
    for cache, fewest, block, pieces in ((1, 1, 1, 100), (30_000, 13, 3_000, 7), (1 << 22, 40, 20_000, 3)):
        monkeypatch.setattr(filtered, "CACHE", cache)
        monkeypatch.setattr(filtered, "FEWEST_WINDOWS", fewest)
        monkeypatch.setattr(windows, "BLOCK", block)
        for module in (filtered, windows):
            monkeypatch.setattr(module, "MOST_PIECES", pieces)
            monkeypatch.setattr(module, "PIECE", 1)
        for case, expected in zip(LARGE, exact, strict=True):
            assert_close(contractions(case, *case.arrays(np.float32)), expected, 2e-5)


@with_loops
def test_threads_share_no_memory_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from scratchgen.loops.backend.convolution import filtered, windows

    monkeypatch.setattr(filtered, "PIECE", 1)
    monkeypatch.setattr(windows, "PIECE", 1)
    for case in LARGE:
        case = case._replace(batch=16)
        arrays = case.arrays(np.float32)
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            alone = contractions(case, *arrays)
        with (
            threadpoolctl.threadpool_limits(2, user_api="blas"),
            concurrent.futures.ThreadPoolExecutor(2) as callers,
        ):
            calls = [callers.submit(contractions, case, *arrays) for _ in range(4)]
            for call in calls:
                for a, b in zip(call.result(), alone, strict=True):
                    assert np.array_equal(a, b)


@with_loops
@pytest.mark.parametrize("spoiler", [np.nan, np.inf, 1e4])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 2)])
def test_one_wild_pixel_spoils_only_what_sees_it(spoiler: float, kernel: int, stride: int) -> None:
    # By minimal filtering a NaN spoils 21 outputs instead of 9, one pixel of 10,000 its neighbours by 0.4.
    case = Case(3, (8, 8), (kernel, kernel), (stride, stride), (1, 1), (1, 1), 1, (24, 24))
    x, w, g = case.arrays()
    x[1, 3, 11, 12] = g[1, 3, 7, 5] = spoiler
    with np.errstate(invalid="ignore"):
        exact = formulas(case, x, w, g)
        ours = contractions(case, *(array.astype(np.float32) for array in (x, w, g)))
    for a, b in zip(ours[:2], exact[:2], strict=True):
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        near = np.abs(b) < 100
        assert np.abs(a[near] - b[near]).max() < 1e-4


@with_loops
def test_exact_sums_belong_to_the_thread_that_asked() -> None:
    x, w, _ = Case(2, (16, 16), (3, 3), (1, 1), (1, 1), (1, 1), 1, (24, 24)).arrays(np.float32)
    fast = conv2d(x, w, padding=1)
    with use_exact_convolution(), concurrent.futures.ThreadPoolExecutor(1) as other:
        exact = conv2d(x, w, padding=1)
        assert np.array_equal(other.submit(conv2d, x, w, padding=1).result(), fast)
        with use_exact_convolution(False):
            assert np.array_equal(conv2d(x, w, padding=1), fast)
    assert not np.array_equal(exact, fast)
    assert np.array_equal(conv2d(x, w, padding=1), fast)
    use_exact_convolution()
    assert np.array_equal(conv2d(x, w, padding=1), exact)
    use_exact_convolution(False)
    assert np.array_equal(conv2d(x, w, padding=1), fast)


def test_read_only_arrays_are_as_good_as_others() -> None:
    case = EXAMPLES[5]
    arrays = case.arrays(np.float32)
    expected = contractions(case, *arrays)
    for array in arrays:
        array.flags.writeable = False
    for a, b in zip(contractions(case, *arrays), expected, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_computed_beside_an_image_does_not_get_into_it(dtype: Any) -> None:
    # Windows that run on into the next row or image are computed too, in memory that held something before.
    x, w = np.ones((3, 8, 9, 10), dtype), np.ones((6, 8, 3, 3), dtype)
    full = conv2d(np.full((3, 8, 30, 30), np.nan, dtype), w, padding=1)
    assert np.isnan(full).all()
    assert np.array_equal(np.unique(np.round(conv2d(x, w, padding=1), 3)), [32, 48, 72])
    g = np.ones((3, 6, 9, 10), dtype)
    conv2d_weight(np.full((3, 8, 30, 30), np.nan, dtype), np.ones((3, 6, 30, 30), dtype), 3, padding=1)
    assert np.array_equal(np.unique(np.round(conv2d_weight(x, g, 3, padding=1), 2)), [216, 240, 243, 270])
