"""Reductions: values against NumPy for every axis, ties, zeros, empty axes, and both libraries' keywords."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg

X = np.array([[[2.0, -1.0, 0.5], [1.0, 3.0, -2.0]], [[0.1, 0.2, 0.3], [5.0, -4.0, 1.5]]])
AXES = [None, 0, 1, -1, (0,), (0, 2), (-1, 0), (0, 1, 2), ()]

TWINS: list[tuple[Any, Any]] = [
    (sg.sum, np.sum),
    (sg.mean, np.mean),
    (sg.var, np.var),
    (sg.max, np.max),
    (sg.min, np.min),
    (sg.prod, np.prod),
    (sg.logsumexp, special.logsumexp),
]
every_reduction = pytest.mark.parametrize(("f", "twin"), TWINS, ids=[f.__name__ for f, _ in TWINS])


def gradient(f: Any, x: Any) -> np.ndarray:
    variable = sg.tensor(np.asarray(x, np.float64), requires_grad=True)
    return sg.asnumpy(sg.grad(f(variable).sum(), variable)[0])


@every_reduction
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_values_and_shapes(f: Any, twin: Any, axis: Any, keepdims: bool) -> None:
    if f is sg.logsumexp and axis == ():
        expected = X  # log e^x; scipy takes () for all axes
    else:
        expected = twin(X, axis=axis, keepdims=keepdims)
    found = f(sg.tensor(X), axis=axis, keepdims=keepdims)
    assert_close(found, expected, rtol=1e-13, atol=1e-15)
    assert_close(getattr(sg.tensor(X), f.__name__)(axis, keepdims), expected, rtol=1e-13, atol=1e-15)
    if axis is not None:
        torch_spelling = f(sg.tensor(X), dim=axis, keepdim=keepdims)
        assert_close(torch_spelling, expected, rtol=1e-13, atol=1e-15)


@every_reduction
def test_one_number_is_its_own_reduction(f: Any, twin: Any) -> None:
    assert_close(f(sg.tensor(np.array(3.0))), twin(np.array(3.0)))


@every_reduction
@pytest.mark.parametrize("axis", [3, -4, (0, 3), (0, 0), (0, -3)])
def test_axes_that_do_not_exist_or_come_twice(f: Any, twin: Any, axis: Any) -> None:
    with pytest.raises(ValueError, match=r"axis: got .*, expected .* of 3"):
        f(sg.tensor(X), axis=axis)


@every_reduction
def test_unknown_keywords(f: Any, twin: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'where'"):
        f(sg.tensor(X), where=True)


@pytest.mark.parametrize("axis", [1.0, (0, 1.0), "x", [0.5]])
@every_reduction
def test_an_axis_is_a_whole_number(f: Any, twin: Any, axis: Any) -> None:
    with pytest.raises(TypeError, match=r"axis: got .*, expected whole numbers"):
        f(sg.tensor(X), axis=axis)


@every_reduction
@pytest.mark.parametrize("given", [[1.0, 2.0], 3.0])
def test_what_is_no_array_is_named(f: Any, twin: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"x: got (list|float), expected an array or Tensor"):
        f(given)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_the_least_and_the_largest_of_whole_numbers(dtype: Any) -> None:
    values = np.array([5, 0, 100, np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    for x in (sg.asarray(values), sg.tensor(values)):
        assert_close(sg.min(x), values.min(), rtol=0)
        assert_close(sg.max(x), values.max(), rtol=0)


class TestNormAndStandardDeviation:
    def test_values(self) -> None:
        x = sg.tensor(X)
        assert_close(x.norm(), np.linalg.norm(X.ravel()), rtol=1e-14)
        assert_close(x.norm(2, 1), np.linalg.norm(X, axis=1), rtol=1e-14)
        assert_close(
            x.norm(dim=(0, 2), keepdim=True), np.linalg.norm(X, axis=(0, 2), keepdims=True), rtol=1e-14
        )
        assert_close(sg.norm(x.data, axis=-1), np.linalg.norm(X, axis=-1), rtol=1e-14)
        assert_close(x.std(), X.std(), rtol=1e-14)
        assert_close(x.std(dim=1, correction=1), X.std(axis=1, ddof=1), rtol=1e-14)
        with pytest.raises(ValueError, match=r"p: got 1\.0, expected one of 2\.0"):
            x.norm(1)

    @pytest.mark.parametrize("f", [lambda x: x.norm(dim=1), lambda x: x.std(dim=1, correction=1)])
    def test_derivatives_to_third_order(self, f: Any) -> None:
        sg.check_gradients(f, np.array([[1.0, -2.0, 0.5], [0.3, 0.0, 2.0]]), order=3)

    @pytest.mark.parametrize("f", [sg.norm, sg.std, lambda x: sg.norm(x - x[0])])
    def test_both_derivatives_are_finite_where_the_root_has_none(self, f: Any) -> None:
        x = sg.tensor(np.zeros(3), requires_grad=True)
        (first,) = sg.grad(f(x), x, create_graph=True)
        assert_close(first, [0.0, 0.0, 0.0])
        (second,) = sg.grad((first * sg.asarray(np.array([1.0, 2.0, 3.0]))).sum(), x, create_graph=True)
        assert_close(second, [0.0, 0.0, 0.0])
        assert_close(sg.grad(second.sum(), x)[0], [0.0, 0.0, 0.0])

    def test_the_place_of_the_largest(self) -> None:
        x = sg.tensor(X, requires_grad=True)
        for place, expected in (
            (x.argmax(), X.argmax()),
            (x.argmax(1), X.argmax(axis=1)),
            (sg.argmax(x.data, dim=-1, keepdim=True), X.argmax(axis=-1, keepdims=True)),
        ):
            assert not isinstance(place, sg.Tensor)
            assert_close(place, expected, rtol=0)


def test_the_same_line_works_on_raw_arrays() -> None:
    for x in (sg.asarray(X), sg.tensor(X)):
        assert_close(x.sum(axis=(0, 1), keepdims=True), X.sum(axis=(0, 1), keepdims=True))
        assert_close(x.max(axis=-1), X.max(axis=-1))
        assert_close(x.var(axis=0), X.var(axis=0), rtol=1e-14)


class TestMeanAndVariance:
    def test_gradients_are_divided_by_the_count(self) -> None:
        assert_close(gradient(lambda x: x.mean(axis=(0, 2)), X), np.full(X.shape, 1 / 6))
        assert_close(gradient(lambda x: x.var(), X), 2 * (X - X.mean()) / 12, rtol=1e-13)
        assert_close(
            gradient(lambda x: x.var(axis=1, correction=1), X), 2 * (X - X.mean(1, keepdims=True)), rtol=1e-13
        )

    def test_the_unbiased_variance(self) -> None:
        assert_close(sg.var(sg.tensor(X), axis=2, correction=1), np.var(X, axis=2, ddof=1), rtol=1e-13)

    def test_the_variance_of_equal_numbers_is_flat(self) -> None:
        assert_close(gradient(lambda x: sg.sqrt(x.var()), [2.0, 2.0]), [0.0, 0.0])

    def test_a_large_offset_costs_no_digits(self) -> None:
        assert_close(sg.var(sg.tensor(np.array([1e8, 1e8 + 2]))), 1.0)

    @pytest.mark.parametrize(
        "second_order", [lambda x: sg.mean(x * x), sg.var, lambda x: sg.var(x, axis=0, correction=1)]
    )
    def test_second_derivatives(self, second_order: Any) -> None:
        assert sg.check_gradients(second_order, X[0]) < 1e-7

    def test_nothing_to_average(self) -> None:
        empty = sg.tensor(np.zeros((0, 3)))
        assert sg.mean(empty, axis=1).shape == (0,)
        with pytest.raises(ValueError, match=r"axis: got \(0,\) of an array of shape \(0, 3\), expected"):
            empty.mean(axis=0)
        with pytest.raises(ValueError, match="correction: got 1, expected less than there are numbers"):
            sg.tensor(np.zeros(1)).var(correction=1)


class TestMaximum:
    def test_ties_share_the_derivative_equally(self) -> None:
        assert_close(gradient(lambda x: x.max(), [3.0, 3.0, 1.0, 3.0]), [1 / 3, 1 / 3, 0, 1 / 3])
        assert_close(
            gradient(lambda x: x.min(axis=1), [[1.0, 1.0, 2.0], [5.0, 4.0, 6.0]]), [[0.5, 0.5, 0], [0, 1, 0]]
        )

    def test_no_largest_number(self) -> None:
        with pytest.raises(
            ValueError,
            match=r"axis: got \(0,\) of an array of shape \(0, 3\), expected axes that hold a number",
        ):
            sg.tensor(np.zeros((0, 3))).max(axis=0)

    def test_infinities(self) -> None:
        assert_close(gradient(lambda x: x.max(), [-np.inf, np.inf, 0.0]), [0, 1, 0])
        assert_close(gradient(lambda x: x.max(), [-np.inf, -np.inf]), [0.5, 0.5])


class TestProduct:
    @pytest.mark.parametrize(
        ("x", "expected"),
        [
            ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
            ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
            ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]),
            ([0.0], [1.0]),
        ],
    )
    def test_zeros_are_no_problem(self, x: list[float], expected: list[float]) -> None:
        assert_close(gradient(sg.prod, x), expected)

    def test_the_second_derivative_with_two_zeros(self) -> None:
        x = sg.tensor(np.array([0.0, 3.0, 0.0]), requires_grad=True)
        (first,) = sg.grad(x.prod(), x, create_graph=True)
        assert_close(sg.grad(first[0], x)[0], [0.0, 0.0, 3.0])  # d/dx3 of x2 x3

    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17])
    def test_every_length(self, n: int) -> None:
        x = np.linspace(0.5, 1.5, n)
        assert_close(gradient(sg.prod, x), np.prod(x) / x, rtol=1e-13)

    def test_the_empty_product_is_one(self) -> None:
        assert_close(sg.prod(sg.tensor(np.zeros((2, 0))), axis=1), [1.0, 1.0])


class TestLogSumExp:
    def test_no_overflow_and_no_underflow(self) -> None:
        for shift in (1e4, -1e4):
            x = np.array([0.0, 1.0, 2.0]) + shift
            assert_close(sg.logsumexp(sg.tensor(x)), special.logsumexp(x), rtol=1e-14)
            assert_close(gradient(sg.logsumexp, x), special.softmax(x), rtol=1e-12)

    def test_minus_infinity_is_the_log_of_zero(self) -> None:
        assert_close(gradient(sg.logsumexp, [-np.inf, 0.0, 0.0]), [0, 0.5, 0.5])

    @pytest.mark.parametrize("order", [1, 2])
    def test_all_minus_infinity_is_minus_infinity_and_flat(self, order: int) -> None:
        x = sg.tensor(np.full((2, 3), -np.inf), requires_grad=True)
        y = sg.logsumexp(x, axis=1)
        assert_close(y, [-np.inf, -np.inf])
        for _ in range(order):
            (y,) = sg.grad(y.sum(), x, create_graph=True)
        assert_close(y, np.zeros((2, 3)))

    def test_plus_infinity(self) -> None:
        assert_close(sg.logsumexp(sg.tensor(np.array([np.inf, 0.0]))), np.inf)

    def test_the_sum_of_nothing(self) -> None:
        assert_close(sg.logsumexp(sg.tensor(np.zeros((2, 0), np.float32)), axis=1), [-np.inf, -np.inf])


class TestCumulativeSum:
    @pytest.mark.parametrize("axis", [0, 1, -1])
    def test_values_and_gradient(self, axis: int) -> None:
        assert_close(sg.tensor(X).cumsum(axis), np.cumsum(X, axis))
        n = X.shape[axis]
        still_to_come = np.moveaxis(
            np.broadcast_to(np.arange(n, 0, -1.0), (*np.delete(X.shape, axis), n)), -1, axis
        )
        assert_close(gradient(lambda x: sg.cumsum(x, axis), X), still_to_come)

    def test_an_axis_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="axis: got 3"):
            sg.cumsum(sg.tensor(X), 3)
