"""Elementwise operations: values against NumPy; derivatives at kinks, at zero, at the ends of the range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg

REAL = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])
POSITIVE = np.array([1e-3, 0.5, 1.0, 7.0])


def slope(f: Any, x: Any, order: int = 1) -> np.ndarray:
    """The derivative of an elementwise function, by the engine."""
    variable = sg.tensor(np.asarray(x, np.float64), requires_grad=True)
    y = f(variable)
    for _ in range(order):
        (y,) = sg.grad(y.sum(), variable, create_graph=True)
    return sg.asnumpy(y)


@pytest.mark.parametrize(
    ("f", "twin", "x"),
    [
        (sg.neg, np.negative, REAL),
        (sg.exp, np.exp, REAL),
        (sg.expm1, np.expm1, REAL),
        (sg.log, np.log, POSITIVE),
        (sg.log1p, np.log1p, POSITIVE),
        (sg.sqrt, np.sqrt, POSITIVE),
        (sg.square, np.square, REAL),
        (sg.abs, np.abs, REAL),
        (sg.sin, np.sin, REAL),
        (sg.cos, np.cos, REAL),
        (sg.tanh, np.tanh, REAL),
        (sg.sigmoid, special.expit, REAL),
        (sg.erf, special.erf, REAL),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_values(f: Any, twin: Any, x: np.ndarray) -> None:
    assert_close(f(sg.asarray(x)), twin(x), rtol=1e-15)
    method = getattr(sg.Tensor, f.__name__, None)
    if method is not None:
        assert_close(method(sg.tensor(x)), twin(x), rtol=1e-15)


def test_values_of_two_arguments() -> None:
    a, b = np.array([[1.0], [4.0]]), np.array([2.0, 3.0, 4.0])
    x, y = sg.tensor(a), sg.asarray(b)
    for found, expected in (
        (x + y, a + b),
        (x - y, a - b),
        (x * y, a * b),
        (x / y, a / b),
        (x**y, a**b),
        (-x, -a),
        (abs(-x), a),
        (sg.maximum(x, y), np.maximum(a, b)),
        (sg.minimum(x, y), np.minimum(a, b)),
        (sg.where(x.data > y, x, y), np.where(a > b, a, b)),
        (sg.clip(x, 2, 3), np.clip(a, 2, 3)),
        (x.clip(low=2), np.clip(a, 2, None)),
    ):
        assert_close(found, expected, rtol=0)


class TestPower:
    @pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 2.5])
    def test_constant_exponents(self, exponent: float) -> None:
        for x in (0.5, 2.0):
            assert_close(slope(lambda v: v**exponent, x), exponent * x ** (exponent - 1), rtol=1e-14)
            curvature = exponent * (exponent - 1) * x ** (exponent - 2)
            assert_close(slope(lambda v: v**exponent, x, order=2), curvature, rtol=1e-14, atol=1e-300)

    @pytest.mark.parametrize(("exponent", "expected"), [(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0)])
    def test_at_zero(self, exponent: int, expected: float) -> None:
        assert slope(lambda v: v**exponent, 0.0) == expected
        array = sg.asarray(np.array([float(exponent)]))
        assert slope(lambda v: v**array, [0.0]) == expected

    def test_zero_to_the_zero_is_one_and_flat_in_both_directions(self) -> None:
        a, b = (sg.tensor(np.array([0.0]), requires_grad=True) for _ in range(2))
        y = a**b
        assert_close(y, [1.0])
        for g in sg.grad(y, [a, b]):
            assert_close(g, [0.0])

    @pytest.mark.parametrize("base", [0.0, -2.0])
    def test_the_derivative_by_the_exponent_is_zero_where_the_base_is_not_positive(self, base: float) -> None:
        assert slope(lambda b: sg.asarray(np.array([base])) ** b, [2.0]) == 0
        assert slope(lambda b: base**b, [2.0]) == 0

    def test_a_constant_base(self) -> None:
        assert_close(slope(lambda b: 2.0**b, [3.0]), [8 * np.log(2)], rtol=1e-15)
        assert_close(slope(lambda b: 2**b, [3.0], order=2), [8 * np.log(2) ** 2], rtol=1e-15)

    def test_a_negative_base_with_whole_exponents(self) -> None:
        assert_close(slope(lambda a: a**3, [-2.0]), [12.0])
        assert_close(slope(lambda a: a ** sg.asarray(np.array([3.0])), [-2.0], order=2), [-12.0])

    def test_the_mixed_derivative_where_the_exponent_is_zero(self) -> None:
        """d2/da db a^b = a^(b-1) (1 + b log a), which is 1/a at b = 0."""
        a, b = (sg.tensor(np.array([v]), requires_grad=True) for v in (4.0, 0.0))
        (by_a,) = sg.grad(a**b, a, create_graph=True)
        assert_close(sg.grad(by_a, b)[0], [0.25])
        (by_b,) = sg.grad(a**b, b, create_graph=True)
        assert_close(sg.grad(by_b, a)[0], [0.25])
        assert sg.check_gradients(sg.pow, [0.5, 4.0], [0.0, 0.0]) < 1e-7

    @pytest.mark.parametrize("b", [-1.0, -0.5, -2.0])
    def test_by_the_exponent_at_base_zero_with_a_negative_exponent_it_is_zero(self, b: float) -> None:
        a, exponent = sg.tensor([0.0, 2.0]), sg.tensor([b, b], requires_grad=True)
        with np.errstate(divide="ignore"):
            (first,) = sg.grad((a**exponent).sum(), exponent, create_graph=True)
        assert_close(first, [0.0, 2.0**b * np.log(2.0)], rtol=1e-6)
        with np.errstate(divide="ignore"):
            assert_close(sg.grad(first.sum(), exponent)[0], [0.0, 2.0**b * np.log(2.0) ** 2], rtol=1e-6)


class TestKinks:
    def test_equal_arguments_of_maximum_and_minimum_share_the_derivative(self) -> None:
        a, b = (sg.tensor(np.array([1.0, 2.0, 2.0]), requires_grad=True) for _ in range(2))
        for f in (sg.maximum, sg.minimum):
            assert_close(sg.grad(f(a, b).sum(), [a, b])[0], [0.5] * 3)
            assert_close(sg.grad(f(a, b).sum(), [a, b])[1], [0.5] * 3)

    def test_maximum_with_a_number(self) -> None:
        assert_close(slope(lambda x: sg.maximum(x, 0), REAL), [0, 0, 0.5, 1, 1])
        assert_close(slope(lambda x: sg.minimum(0.0, x), REAL), [1, 1, 0.5, 0, 0])

    def test_abs_is_flat_at_zero(self) -> None:
        assert_close(slope(sg.abs, REAL), [-1, -1, 0, 1, 1])

    def test_clip_passes_the_derivative_inside_and_at_its_bounds(self) -> None:
        assert_close(slope(lambda x: sg.clip(x, -0.5, 0.25), REAL), [0, 1, 1, 1, 0])

    def test_sqrt_and_norm_are_flat_at_zero_to_every_order(self) -> None:
        for order in (1, 2, 3):
            assert_close(slope(sg.sqrt, [0.0], order), [0.0])
        assert_close(slope(lambda x: sg.sqrt(sg.square(x).sum()), [0.0, 0.0]), [0.0, 0.0])
        assert_close(slope(lambda x: sg.sqrt(sg.square(x).sum()), [3.0, 4.0]), [0.6, 0.8])


class TestExtremes:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_saturating_functions_neither_overflow_nor_warn(self, dtype: Any) -> None:
        x = sg.tensor(np.array([-1e4, -800, -100, 0, 100, 800, 1e4], dtype), requires_grad=True)
        for f, ends in ((sg.tanh, (-1, 1)), (sg.sigmoid, (0, 1)), (sg.erf, (-1, 1))):
            y = f(x)
            (first,) = sg.grad(y.sum(), x, create_graph=True)
            (second,) = sg.grad(first.sum(), x)
            value = sg.asnumpy(y)
            assert_close(value[[0, -1]], ends)
            assert_close(sg.asnumpy(first)[[0, 1, 5, 6]], [0.0] * 4)
            assert np.isfinite(sg.asnumpy(first)).all()
            assert np.isfinite(sg.asnumpy(second)).all()

    def test_infinities(self) -> None:
        x = np.array([-np.inf, np.inf])
        assert_close(sg.exp(sg.asarray(x)), [0, np.inf])
        assert_close(sg.sigmoid(sg.asarray(x)), [0, 1])
        assert_close(sg.tanh(sg.asarray(x)), [-1, 1])
        assert_close(sg.erf(sg.asarray(x)), [-1, 1])

    @pytest.mark.parametrize("f", [sg.exp, sg.sigmoid, sg.tanh, sg.sqrt, sg.abs, sg.square, sg.erf, sg.sin])
    def test_nan_stays_nan(self, f: Any) -> None:
        assert np.isnan(sg.asnumpy(f(sg.asarray(np.array([np.nan])))))

    def test_nan_in_maximum_is_not_hidden(self) -> None:
        x = sg.asarray(np.array([np.nan]))
        assert np.isnan(sg.asnumpy(sg.maximum(x, 0.0)))
        assert np.isnan(sg.asnumpy(sg.minimum(0.0, x)))

    def test_expm1_and_log1p_keep_digits_near_zero(self) -> None:
        tiny = sg.asarray(np.array([1e-12]))
        assert_close(sg.expm1(tiny), [1e-12], rtol=1e-11)
        assert_close(sg.log1p(tiny), [1e-12], rtol=1e-11)


class TestWhere:
    def test_each_branch_gets_its_part(self) -> None:
        a, b = (sg.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True) for _ in range(2))
        y = sg.where(sg.asarray(np.array([True, False, True])), a * 2, b * 3)
        assert_close(sg.grad(y.sum(), [a, b])[0], [2, 0, 2])
        assert_close(sg.grad(y.sum(), [a, b])[1], [0, 3, 0])

    def test_a_condition_that_broadcasts(self) -> None:
        a = sg.tensor(np.ones((2, 3)), requires_grad=True)
        y = sg.where(sg.asarray(np.array([[True], [False]])), a, 0.0)
        assert_close(sg.grad(y.sum(), a)[0], [[1.0] * 3, [0.0] * 3])

    def test_the_safe_pattern_keeps_nan_out(self) -> None:
        def safe_log(x: Any) -> Any:
            inside = x > 0
            return sg.where(inside, sg.log(sg.where(inside, x, 1.0)), 0.0)

        assert_close(slope(safe_log, [-1.0, 0.0, 2.0]), [0, 0, 0.5])
        assert_close(slope(safe_log, [-1.0, 0.0, 2.0], order=2), [0, 0, -0.25])
