"""Each fused form against its plain twin, and at extremes where the twin overflows or loses its digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg

X = np.array([[-3.0, -0.5, 1e-3], [0.25, 2.0, 4.0]])
TARGET = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 0.9]])


def plain_softmax(x: Any, axis: int) -> Any:
    e = sg.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def plain_cross_entropy(logits: Any, target: Any) -> Any:
    p = sg.sigmoid(logits)
    return -(target * sg.log(p)) - (1 - target) * sg.log(1 - p)


TWINS: dict[str, tuple[Any, Any, tuple[np.ndarray, ...]]] = {
    "relu": (sg.relu, lambda x: sg.where(x > 0, x, 0), (X,)),
    "softplus": (sg.softplus, lambda x: sg.log(1 + sg.exp(x)), (X,)),
    "sigmoid": (sg.sigmoid, lambda x: 1 / (1 + sg.exp(-x)), (X,)),
    "softmax, last axis": (sg.softmax, lambda x: plain_softmax(x, -1), (X,)),
    "softmax, first axis": (lambda x: sg.softmax(x, axis=0), lambda x: plain_softmax(x, 0), (X,)),
    "softmax, dim": (lambda x: sg.softmax(x, dim=0), lambda x: plain_softmax(x, 0), (X,)),
    "log_softmax": (sg.log_softmax, lambda x: sg.log(plain_softmax(x, -1)), (X,)),
    "log_softmax, dim": (lambda x: sg.log_softmax(x, dim=0), lambda x: sg.log(plain_softmax(x, 0)), (X,)),
    "logsumexp": (lambda x: sg.logsumexp(x, axis=1), lambda x: sg.log(sg.exp(x).sum(axis=1)), (X,)),
    "binary_cross_entropy": (sg.binary_cross_entropy, plain_cross_entropy, (X, TARGET)),
    "binary_cross_entropy, broadcast": (sg.binary_cross_entropy, plain_cross_entropy, (X, TARGET[:, :1])),
    "binary_cross_entropy_sum": (
        sg.autograd.binary_cross_entropy_sum,
        lambda logits, target: plain_cross_entropy(logits, target).sum(axis=1),
        (X, TARGET),
    ),
    "expm1": (sg.expm1, lambda x: sg.exp(x) - 1, (X,)),
    "log1p": (sg.log1p, lambda x: sg.log(1 + x), (TARGET,)),
    "square": (sg.square, lambda x: x * x, (X,)),
}


@pytest.mark.parametrize("name", TWINS)
def test_value_first_and_second_derivatives_equal_the_plain_twins(name: str) -> None:
    fused, plain, arrays = TWINS[name]
    inputs = [sg.tensor(x, requires_grad=True) for x in arrays]
    results = []
    for f in (fused, plain):
        y = f(*inputs)
        g = sg.tensor(np.cos(np.arange(float(y.size))).reshape(y.shape), requires_grad=True)
        first = sg.grad(y, inputs, g, create_graph=True)
        # the second derivatives, each number of the first weighted differently
        total = sum(
            (x * sg.asarray(np.sin(1.0 + np.arange(float(x.size))).reshape(x.shape))).sum() for x in first
        )
        results.append([y, *first, *sg.grad(total, [*inputs, g])])
    for a, b in zip(*results, strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestExtremes:
    def test_softplus(self, dtype: Any) -> None:
        x = sg.tensor(np.array([-1e5, -80, 0, 80, 1e5, -np.inf, np.inf], dtype), requires_grad=True)
        y = sg.softplus(x)
        assert_close(y, np.array([0, np.exp(-80.0), np.log(2), 80, 1e5, 0, np.inf]), rtol=1e-6)
        assert_close(sg.grad(y.sum(), x)[0], np.array([0, np.exp(-80.0), 0.5, 1, 1, 0, 1]), rtol=1e-6)

    def test_softmax_and_log_softmax(self, dtype: Any) -> None:
        x = sg.tensor(np.array([[1e4, 0, -1e4], [-1e30, -1e30, -1e30]], dtype), requires_grad=True)
        assert_close(sg.softmax(x), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
        assert_close(sg.log_softmax(x), [[0, -1e4, -2e4], [-np.log(3)] * 3], rtol=1e-6)
        (g,) = sg.grad(sg.log_softmax(x)[0, 1], x)
        assert_close(g, [[-1, 1, 0], [0, 0, 0]])

    def test_minus_infinity_masks_an_entry(self, dtype: Any) -> None:
        x = sg.tensor(np.array([-np.inf, 0, 0], dtype), requires_grad=True)
        for f, values in ((sg.softmax, [0, 0.5, 0.5]), (sg.log_softmax, [-np.inf, -np.log(2), -np.log(2)])):
            y = f(x)
            assert_close(y, values, rtol=1e-6)
            assert_close(
                sg.grad(y[1], x)[0], [0, *((0.25, -0.25) if f is sg.softmax else (0.5, -0.5))], rtol=1e-6
            )

    def test_binary_cross_entropy(self, dtype: Any) -> None:
        logits = sg.tensor(np.array([-1e4, 1e4, -1e4, 1e4, 0], dtype), requires_grad=True)
        target = sg.asarray(np.array([0, 1, 1, 0, 0.5], dtype))
        y = sg.binary_cross_entropy(logits, target)
        assert_close(y, [0, 0, 1e4, 1e4, np.log(2)], rtol=1e-6)
        assert_close(sg.grad(y.sum(), logits)[0], [0, 0, -1, 1, 0])  # never zero where it is wrong

    def test_the_gradient_of_a_confident_error_keeps_its_digits(self, dtype: Any) -> None:
        logits = sg.tensor(np.array([7.6], dtype), requires_grad=True)  # p = 0.9995
        (g,) = sg.grad(sg.binary_cross_entropy(logits, sg.asarray(np.array([1.0], dtype))).sum(), logits)
        assert_close(g, [special.expit(7.6) - 1], rtol=1e-3 if dtype == np.float32 else 1e-10)


def test_relu_is_flat_at_zero_and_hides_no_nan() -> None:
    x = sg.tensor(np.array([-1.0, 0.0, 2.0]), requires_grad=True)
    assert_close(sg.grad(sg.relu(x).sum(), x)[0], [0, 0, 1])
    assert np.isnan(sg.asnumpy(sg.relu(sg.asarray(np.array([np.nan])))))


@pytest.mark.parametrize("f", [sg.softmax, sg.log_softmax])
def test_an_axis_that_does_not_exist(f: Any) -> None:
    with pytest.raises(ValueError, match=r"axis: got 2, expected -2 \.\. 1 for an array of 2 axes"):
        f(sg.tensor(X), axis=2)


@pytest.mark.parametrize("f", [sg.softmax, sg.log_softmax, sg.relu, sg.softplus])
def test_the_argument_is_not_changed(f: Any) -> None:
    x = sg.asarray(X.copy())
    f(x)
    assert_close(x, X, rtol=0)


def test_binary_cross_entropy_changes_neither_logits_nor_target() -> None:
    logits, target = sg.asarray(X.copy()), sg.asarray(TARGET.copy())
    sg.binary_cross_entropy(logits, target)
    assert_close(logits, X, rtol=0)
    assert_close(target, TARGET, rtol=0)


@pytest.mark.parametrize("pixels", [1, 7, 64, 784])
@pytest.mark.parametrize("leading", [1, 2])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_the_sum_of_cross_entropies_is_their_sum(pixels: int, leading: int, dtype: Any, rtol: float) -> None:
    rng = sg.backend.RandomStream(0, "sum of cross-entropies", pixels)
    logits = 20 * rng.normal((50, 3, 1, pixels), dtype)
    target = rng.uniform((3, 1, pixels), dtype)
    summed = sg.autograd.binary_cross_entropy_sum(logits, target, leading=leading)
    parts = sg.binary_cross_entropy(logits, target).sum(axis=tuple(range(leading, 4)))
    assert summed.shape == parts.shape
    assert summed.dtype == dtype
    assert_close(summed, parts, rtol=rtol, atol=0)


def test_the_sum_of_cross_entropies_needs_an_axis_of_examples() -> None:
    logits = sg.asarray(np.zeros((2, 3), np.float32))
    for leading in (0, 3):
        with pytest.raises(ValueError, match=r"leading: got \d, expected 1 .. 2"):
            sg.autograd.binary_cross_entropy_sum(logits, logits, leading=leading)
