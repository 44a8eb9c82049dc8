"""Convolution: one trilinear form, its contractions and all their derivatives."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients, conv, conv_transpose, conv_weight
from scratchgen.backend import RandomStream

Pair = tuple[int, int]


def normal(shape: tuple[int, ...], name: str) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, "convolution", name).normal(shape, np.float64))


class Case:
    """Images, weights and a cotangent of one convolution, on the host, with its keywords."""

    def __init__(
        self,
        batch: int = 2,
        channels: Pair = (2, 1),
        kernel: Pair = (2, 2),
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        dilation: Pair = (1, 1),
        groups: int = 1,
        spare: Pair = (1, 1),
    ) -> None:
        extent = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        size = [max(1, e + more - 2 * p) for e, more, p in zip(extent, spare, padding, strict=True)]
        axes = zip(size, padding, extent, stride, strict=True)
        output = [(n + 2 * p - e) // s + 1 for n, p, e, s in axes]
        self.x = normal((batch, groups * channels[0], *size), "x")
        self.w = normal((groups * channels[1], channels[0], *kernel), "w")
        self.g = normal((batch, groups * channels[1], *output), "g")
        self.how: dict[str, Any] = {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }
        self.kernel, self.size = tuple(kernel), tuple(size)

    def __repr__(self) -> str:
        return f"Case(x {self.x.shape}, w {self.w.shape}, g {self.g.shape}, {self.how})"

    def einsum(self) -> np.ndarray:
        """The convolution by its definition: windows written out, then a sum over channels and taps."""
        (p, q), (d, e), (s, t) = (self.how[k] for k in ("padding", "dilation", "stride"))
        (kh, kw), groups = self.kernel, self.how["groups"]
        padded = np.pad(self.x, ((0, 0), (0, 0), (p, p), (q, q)))
        extent = d * (kh - 1) + 1, e * (kw - 1) + 1
        windows = np.lib.stride_tricks.sliding_window_view(padded, extent, (2, 3))
        windows = windows[:, :, ::s, ::t, ::d, ::e]  # (batch, in, o, p, i, j)
        inputs = np.split(windows, groups, axis=1)
        outputs = np.split(self.w, groups)
        parts = [np.einsum("ncopij,kcij->nkop", a, b) for a, b in zip(inputs, outputs, strict=True)]
        return np.concatenate(parts, axis=1)


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


cases = st.builds(
    Case,
    batch=st.integers(0, 2),
    channels=pairs(1, 3),
    kernel=pairs(1, 3),
    stride=pairs(1, 3),
    padding=pairs(0, 2),
    dilation=pairs(1, 2),
    groups=st.integers(1, 3),
    spare=pairs(0, 4),
)
LEFT_OVER = Case(stride=(2, 3), spare=(3, 4))  # the last rows and columns are in no window
DEPTHWISE = Case(channels=(1, 2), groups=3, padding=(1, 0))
SMALL = [
    Case(1, (1, 1), (2, 2), spare=(1, 0)),
    Case(1, (2, 1), (1, 2), stride=(2, 1), padding=(0, 1), spare=(2, 1)),
    Case(1, (1, 1), (2, 1), dilation=(2, 1), groups=2, spare=(1, 1)),
]


@settings(max_examples=40)
@given(case=cases)
@example(case=LEFT_OVER)
@example(case=DEPTHWISE)
def test_the_three_contractions_are_one_trilinear_form(case: Case) -> None:
    x, w, g = map(sg.asarray, (case.x, case.w, case.g))
    y = conv(x, w, **case.how)
    assert_close(y, case.einsum(), rtol=1e-10, atol=1e-12)
    form = float(np.sum(sg.asnumpy(y) * case.g))
    scale = float(np.sum(np.abs(sg.asnumpy(y) * case.g))) + 1
    across = sg.asnumpy(conv_transpose(g, w, output_size=case.size, **case.how))
    assert abs(np.sum(across * case.x) - form) <= 1e-12 * scale
    weight = sg.asnumpy(conv_weight(x, g, kernel_size=case.kernel, **case.how))
    assert abs(np.sum(weight * case.w) - form) <= 1e-12 * scale


@settings(max_examples=15)
@given(case=cases)
@example(case=LEFT_OVER)
@example(case=DEPTHWISE)
def test_gradients_and_second_derivatives_in_every_configuration(case: Case) -> None:
    """In a drawn configuration the form's derivatives are its contractions, whichever way one gets there."""
    x, w, g = (sg.tensor(a, requires_grad=True) for a in (case.x, case.w, case.g))
    form = (conv(x, w, **case.how) * g).sum()
    dx, dw, dg = sg.grad(form, [x, w, g], create_graph=True)
    across = conv_transpose(g.data, w.data, output_size=case.size, **case.how)
    assert_close(dx, across, rtol=1e-12, atol=1e-12)
    assert_close(dw, conv_weight(x.data, g.data, kernel_size=case.kernel, **case.how), rtol=1e-12, atol=1e-12)
    assert_close(dg, conv(x.data, w.data, **case.how), rtol=1e-12, atol=1e-12)
    # d/dw <dx, u> and d/dg <dx, u>, for an image u
    u = sg.asarray(normal(case.x.shape, "u"))
    by_w, by_g = sg.grad((dx * u).sum(), [w, g], create_graph=True)
    assert_close(by_w, conv_weight(u, g.data, kernel_size=case.kernel, **case.how), rtol=1e-12, atol=1e-12)
    assert_close(by_g, conv(u, w.data, **case.how), rtol=1e-12, atol=1e-12)
    # the third derivative, in all three directions, is the form itself
    v = sg.asarray(normal(case.w.shape, "v"))
    (third,) = sg.grad((by_w * v).sum(), [g])
    assert_close(third, conv(u, v, **case.how), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_every_contraction_agrees_with_finite_differences_to_the_third_order(case: Case) -> None:
    check_gradients(lambda x, w: conv(x, w, **case.how), case.x, case.w, order=3)
    check_gradients(
        lambda g, w: conv_transpose(g, w, output_size=case.size, **case.how), case.g, case.w, order=3
    )
    check_gradients(
        lambda x, g: conv_weight(x, g, kernel_size=case.kernel, **case.how), case.x, case.g, order=3
    )


def test_a_nonlinear_function_of_a_convolution_to_the_third_order() -> None:
    case = SMALL[0]
    check_gradients(lambda x, w: sg.tanh(conv(x, w)).sum(axis=(1, 2, 3)), 0.3 * case.x, case.w, order=3)


def test_the_smallest_output_is_the_default_of_the_transposed_convolution() -> None:
    case = Case(stride=(2, 2), spare=(2, 2))
    g, w = sg.tensor(case.g, requires_grad=True), sg.tensor(case.w, requires_grad=True)
    y = conv_transpose(g, w, stride=2)
    assert_close(y, conv_transpose(g.data, w.data, stride=2, output_size=y.shape[2:]), rtol=0)
    check_gradients(lambda g, w: conv_transpose(g, w, stride=2), case.g[:1], case.w)


def test_no_work_for_constant_images() -> None:
    x, w = sg.asarray(Case().x), sg.tensor(Case().w, requires_grad=True)
    y = conv(x, w)
    assert y.requires_grad
    assert sg.grad(y.sum(), w)[0].shape == w.shape
    assert not isinstance(conv(x, w.data), sg.Tensor)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_in_all_derivatives(dtype: Any) -> None:
    x, w = (sg.tensor(a.astype(dtype), requires_grad=True) for a in (Case().x, Case().w))
    dx, dw = sg.grad(conv(x, w, padding=1).sum(), [x, w], create_graph=True)
    again = sg.grad((dx * dx).sum() + (dw * dw).sum(), [x, w])
    assert {a.dtype for a in (dx, dw, *again)} == {np.dtype(dtype)}


def test_an_empty_batch_gives_an_empty_result_and_no_gradient_of_the_weights() -> None:
    w = sg.tensor(Case().w, requires_grad=True)
    y = conv(sg.asarray(np.zeros((0, 2, 3, 3))), w)
    assert y.shape == (0, 1, 2, 2)
    assert_close(sg.grad(y.sum(), w)[0], np.zeros(w.shape))


@pytest.mark.parametrize(
    ("x", "w", "how", "message"),
    [
        ((1, 3, 4, 4), (2, 2, 3, 3), {}, "x: got 3 channels, expected 2"),
        ((1, 2, 2, 4), (2, 2, 3, 3), {}, r"kernel_size: \(3, 3\) .* larger than the input of \(2, 4\)"),
        ((1, 3, 4, 4), (2, 1, 3, 3), {"groups": 2}, "groups: got 2, expected a divisor of the 3 input"),
        ((1, 2, 4, 4), (3, 1, 3, 3), {"groups": 2}, "groups: got 2, expected a divisor of the 3 output"),
        ((1, 2, 4, 4), (2, 2, 3, 3), {"stride": 0}, "stride: got 0, expected an integer of at least 1"),
        ((1, 2, 4, 4), (2, 2, 3, 3), {"padding": -1}, "padding: got -1"),
        ((2, 4, 4), (2, 2, 3, 3), {}, r"x: got shape \(2, 4, 4\), expected four axes"),
    ],
)
def test_what_does_not_fit_is_named(x: Any, w: Any, how: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conv(sg.asarray(np.zeros(x)), sg.tensor(np.zeros(w), requires_grad=True), **how)
