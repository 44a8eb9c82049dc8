"""The ways in which the host computes a convolution: minimal filtering, windows in lines, blocks."""

from __future__ import annotations

import concurrent.futures
import itertools
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from convolution_cases import EXAMPLES, Case, Pair, assert_close, contractions
from hypothesis import given, settings, strategies as st

from scratchgen.backend.convolution import blocked, conv2d, conv2d_weight, host, minimal, winograd
from scratchgen.backend.convolution.geometry import Geometry
from scratchgen.backend.convolution.lines import Lines, windows
from scratchgen.backend.convolution.memory import blocks

pytestmark = pytest.mark.host_only

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@given(length=st.integers(1, 40), taps=st.integers(1, 8), stride=st.integers(1, 4))
@settings(max_examples=60)
def test_minimal_filtering_is_a_convolution(length: int, taps: int, stride: int) -> None:
    a, b, g = minimal.filtering(length, taps, stride, FLOAT64)
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


def test_which_way_serves_which_shape() -> None:
    images = np.zeros((2, 8, 8, 16), np.float32)

    def of(kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> Geometry:
        return Geometry.of(kernel, stride, 0, dilation, groups)

    assert all(host.way(images, g) is winograd for g in (of(3), of(4, 2), of(3, 2), of(5), of(8)))
    others = (of(1), of(2, 2), of(3, dilation=2), of(3, groups=2), of(9))
    assert all(host.way(images, g) is blocked for g in others)
    assert host.way(images.astype(np.float64), of(3)) is blocked
    assert host.way(images[..., :3], of(3)) is blocked
    assert host.way(images[:0], of(3)) is blocked


@given(
    st.integers(1, 9),
    st.integers(1, 6),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(-4, 3), st.integers(1, 5)), min_size=1, max_size=2),
)
def test_windows_along_lines(width: int, wanted: int, stride: int, spans: list[tuple[int, int]]) -> None:
    lines = Lines.of(width, wanted, stride, spans)
    row = np.arange(1.0, width + 1)
    pixels = np.full((1, 2 * lines.length + lines.tail, 1), np.nan)
    pixels[:, 2 * lines.length :] = 0
    two = pixels[:, : 2 * lines.length].reshape(1, 2, lines.length, 1)  # two rows, one after another
    lines.zero_the_edges(two)
    two[0, :, lines.left : lines.left + lines.pixels.stop - lines.pixels.start, 0] = row[lines.pixels]
    padded = np.pad(row, (4, 60))
    begin = min(first for first, _ in spans)
    for first, taps in spans:
        seen = windows(pixels, first - begin, 2 * lines.windows, stride, taps)[0]
        expected = [padded[4 + first + stride * i :][:taps] for i in range(wanted)]
        for line in seen.reshape(2, lines.windows, taps)[:, :wanted]:
            assert np.array_equal(line, expected)


def test_blocks_and_products_cover_large_images(monkeypatch: pytest.MonkeyPatch) -> None:
    no_window_too_many = Case(5, (6, 7), (3, 2), (1, 2), (1, 0), (1, 1), 1, (23, 18))
    large = [*(case._replace(batch=5, spare=(23, 18)) for case in EXAMPLES), no_window_too_many]
    whole = [contractions(case, *case.arrays()) for case in large]
    monkeypatch.setattr(blocked, "BUDGET", 20_000)
    monkeypatch.setattr(winograd, "SMALL_PRODUCT", 1)
    for budget, windows_in_product in ((1, 1), (30_000, 13), (100_000, 5), (1 << 22, 40)):
        monkeypatch.setattr(winograd, "BUDGET", budget)
        monkeypatch.setattr(winograd, "FEWEST_WINDOWS", windows_in_product)
        for case, expected in zip(large, whole, strict=True):
            assert_close(contractions(case, *case.arrays()), expected, 1e-12)
            assert_close(contractions(case, *case.arrays(np.float32)), expected, 2e-5)


def test_threads_share_no_buffer_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocked, "BUDGET", 20_000)
    monkeypatch.setattr(winograd, "BUDGET", 1)
    large = [case._replace(batch=16, spare=(23, 18)) for case in EXAMPLES]
    for case in large:
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


def test_blocks_are_disjoint_and_complete() -> None:
    for batch, rows, budget in itertools.product((1, 5, 64), (1, 7, 28), (1, 1000, 3000, 10**6)):
        seen = np.zeros((batch, rows), int)
        for part in blocks(batch, rows, 100, budget):
            seen[part] += 1
        assert (seen == 1).all()


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
