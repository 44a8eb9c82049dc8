"""Windows of images: sums, maxima, and their derivatives."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import pooling
from scratchgen.autograd.pooling import (
    max_windows,
    put_chosen,
    spread_windows,
    sum_windows,
    take_chosen,
)
from scratchgen.backend import RandomStream, compiled

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 3))


def normal(shape: tuple[int, ...], name: str) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, "pooling", name).normal(shape, np.float64))


def windows(x: np.ndarray, kernel: Any, stride: Any, padding: Any, value: float) -> np.ndarray:
    """Every window written out: (batch, channels, down, across, kernel height, kernel width)."""
    (top, left), (down, across) = padding, stride
    padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)), constant_values=value)
    return np.lib.stride_tricks.sliding_window_view(padded, kernel, (2, 3))[:, :, ::down, ::across]


@settings(max_examples=30)
@given(kernel=SIZES, stride=SIZES, more=SIZES, batch=st.integers(0, 2))
def test_sums_and_maxima_are_those_of_the_windows(kernel: Any, stride: Any, more: Any, batch: int) -> None:
    padding = kernel[0] // 2, kernel[1] // 2
    x = normal((batch, 2, kernel[0] + more[0], kernel[1] + more[1]), "x")
    how = {"kernel": kernel, "stride": stride, "padding": padding}
    total, largest = (f(sg.asarray(x), **how) for f in (sum_windows, max_windows))
    assert_close(total, windows(x, kernel, stride, padding, 0).sum((4, 5)), rtol=1e-12, atol=1e-13)
    assert_close(largest, windows(x, kernel, stride, padding, -np.inf).max((4, 5)), rtol=0)
    g = normal(total.shape, "g")
    spread = sg.asnumpy(spread_windows(sg.asarray(g), size=x.shape[2:], **how))
    assert np.sum(spread * x) == pytest.approx(np.sum(g * sg.asnumpy(total)), rel=1e-11, abs=1e-11)
    choice = sg.asarray(
        RandomStream(1).permutation(total.size).reshape(total.shape) % (kernel[0] * kernel[1])
    )
    taken = sg.asnumpy(take_chosen(sg.asarray(x), choice=choice, **how))
    put = sg.asnumpy(put_chosen(sg.asarray(g), choice=choice, size=x.shape[2:], **how))
    assert np.sum(put * x) == pytest.approx(np.sum(g * taken), rel=1e-11, abs=1e-11)


def test_the_gradient_of_a_maximum_goes_to_the_first_of_those_that_tie() -> None:
    x = sg.tensor(np.array([[[[1.0, 5.0, 5.0], [5.0, 0.0, 5.0]]]]), requires_grad=True)
    y = max_windows(x, kernel=(2, 2), stride=(1, 1), padding=(0, 0))
    assert_close(y, [[[[5, 5]]]])
    (gradient,) = sg.grad(y, x, sg.asarray(np.array([[[[3.0, 4.0]]]])))
    assert_close(gradient, [[[[0, 7, 0], [0, 0, 0]]]])


def test_the_padding_of_a_maximum_never_wins() -> None:
    x = sg.tensor(np.full((1, 1, 2, 2), -3.0), requires_grad=True)
    y = max_windows(x, kernel=(2, 2), stride=(2, 2), padding=(1, 1))
    assert_close(y, np.full((1, 1, 2, 2), -3.0))
    assert_close(sg.grad(y.sum(), x)[0], np.ones((1, 1, 2, 2)))


def test_second_derivatives_of_a_function_of_maxima() -> None:
    x = RandomStream(0).permutation(16).reshape(1, 1, 4, 4) / 8 - 1
    sg.check_gradients(
        lambda x: sg.tanh(max_windows(x, kernel=(3, 2), stride=(1, 2), padding=(1, 0))), x, order=3
    )


def test_nan_is_not_hidden() -> None:
    x = sg.asarray(np.array([[[[1.0, np.nan]]]]))
    assert np.isnan(sg.asnumpy(max_windows(x, kernel=(1, 2), stride=(1, 2), padding=(0, 0)))).all()


def test_the_gradient_of_a_maximum_that_is_nan_goes_to_the_last_nan() -> None:
    x = sg.tensor(np.array([[[[9.0, np.nan, 1.0], [np.nan, 2.0, 3.0]]]]), requires_grad=True)
    y = max_windows(x, kernel=(2, 2), stride=(1, 1), padding=(0, 0))
    (gradient,) = sg.grad(y, x, sg.asarray(np.array([[[[5.0, 7.0]]]])))
    assert_close(gradient, [[[[0, 7, 0], [5, 0, 0]]]], rtol=0)


def test_the_gradient_of_a_maximum_never_goes_to_the_padding() -> None:
    x = sg.tensor(np.full((1, 1, 2, 2), -np.inf), requires_grad=True)
    y = max_windows(x, kernel=(2, 2), stride=(2, 2), padding=(1, 1))
    assert_close(sg.grad(y, x, sg.asarray(np.ones((1, 1, 2, 2))))[0], np.ones((1, 1, 2, 2)), rtol=0)


@pytest.mark.host_only
@pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops")
@settings(max_examples=40)
@given(kernel=SIZES, stride=SIZES, more=SIZES, batch=st.integers(0, 3), wild=st.booleans())
def test_loops_are_the_formulas(kernel: Any, stride: Any, more: Any, batch: int, wild: bool) -> None:
    how = {"kernel": kernel, "stride": stride, "padding": (kernel[0] // 2, kernel[1] // 2)}
    x = np.round(normal((batch, 3, kernel[0] + more[0], kernel[1] + more[1]), "x")).astype(np.float32)
    if wild and x.size > 9:
        x.reshape(-1)[[3, 7, 8]] = np.nan, -np.inf, np.nan
    y = pooling.max_windows(x, **how)
    assert_close(y, pooling.max_windows.formula(x, **how), rtol=0)
    choice = pooling.chosen_tap.formula(x, y, **how)
    assert_close(pooling.chosen_tap(x, y, **how), choice, rtol=0)
    assert_close(sum_windows(x, **how), pooling.sum_windows.formula(x, **how), rtol=1e-6, atol=1e-6)
    g = normal(y.shape, "g").astype(np.float32)
    back = {**how, "size": x.shape[2:]}
    spread = pooling.spread_windows.formula(g, **back)
    assert_close(spread_windows(g, **back), spread, rtol=1e-6, atol=1e-6)
    put = pooling.put_chosen.formula(g, choice=choice, **back)
    assert_close(put_chosen(g, choice=choice, **back), put, rtol=1e-6, atol=1e-6)
