"""The derivatives of the operations that all others are made of: each share against its calculus by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import (
    check_gradients,
    cumsum,
    einsum,
    erf,
    log_softmax,
    logsumexp,
    maximum,
    minimum,
    softmax,
)

RNG = np.random.default_rng(0)
A, B, G = (RNG.uniform(0.5, 2, (2, 3)) for _ in range(3))
X = RNG.normal(size=(4, 3))
DTYPES = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5)])


def shares(f: Callable[..., Any], *arrays: Any, g: Any, dtype: Any = np.float64) -> list[np.ndarray]:
    """The shares of all arguments of `f`, for the cotangent `g` of its result."""
    variables = [sg.tensor(sg.asarray(np.asarray(x, dtype)), requires_grad=True) for x in arrays]
    found = sg.grad(f(*variables), variables, sg.asarray(np.asarray(g, dtype)))
    return [sg.asnumpy(share) for share in found]


@pytest.mark.equation("product-vjp")
@DTYPES
def test_each_factor_is_weighed_by_the_other(dtype: Any, rtol: float) -> None:
    of_a, of_b = shares(lambda a, b: a * b, A, B, g=G, dtype=dtype)
    assert_close(of_a, (G * B).astype(dtype), rtol=rtol)
    assert_close(of_b, (G * A).astype(dtype), rtol=rtol)


@pytest.mark.equation("quotient-vjp")
@DTYPES
def test_a_quotient_by_its_numerator_and_its_denominator(dtype: Any, rtol: float) -> None:
    of_a, of_b = shares(lambda a, b: a / b, A, B, g=G, dtype=dtype)
    assert_close(of_a, (G / B).astype(dtype), rtol=rtol)
    assert_close(of_b, (-G * A / B**2).astype(dtype), rtol=rtol)


@pytest.mark.equation("power-vjp")
def test_a_power_by_its_base_and_its_exponent() -> None:
    of_a, of_b = shares(lambda a, b: a**b, A, B, g=G)
    assert_close(of_a, G * B * A ** (B - 1), rtol=1e-12)
    assert_close(of_b, G * A**B * np.log(A), rtol=1e-12)
    assert_close(shares(lambda a: a**3, A, g=G)[0], 3 * G * A**2, rtol=1e-12)
    assert_close(shares(lambda a: a**0, A, g=G)[0], 0 * A)
    assert_close(shares(lambda b: 1.7**b, B, g=G)[0], G * 1.7**B * np.log(1.7), rtol=1e-12)
    assert check_gradients(lambda a, b: a**b, A, B) < 1e-7


@pytest.mark.equation("power-vjp")
def test_powers_of_zero() -> None:
    assert_close(shares(lambda a: a**0, np.zeros(2), g=np.ones(2))[0], np.zeros(2))
    base, exponent = np.array([0.0, 0.0, 0.0, -2.0]), np.array([0.0, 1.0, 2.0, 3.0])
    of_base, of_exponent = shares(lambda a, b: a**b, base, exponent, g=np.ones(4))
    assert_close(of_base, [0.0, 1.0, 0.0, 12.0], rtol=1e-12)
    assert_close(of_exponent, np.zeros(4))
    of_base, of_exponent = shares(lambda a, b: a**b, np.array([1.0]), np.array([0.0]), g=np.ones(1))
    assert_close([of_base[0], of_exponent[0]], [0.0, 0.0])
    a, b = [0.0, 0.0, 0.5, 0.5, 3.0], [0.0, 0.5, 0.0, 2.0, 0.0]  # an exponent of 0, at 0 and elsewhere
    of_base, of_exponent = shares(lambda a, b: a**b, a[:1] + a[2:], b[:1] + b[2:], g=np.ones(4))
    assert_close(of_base, [0.0, 0.0, 1.0, 0.0], rtol=1e-12)
    assert_close(of_exponent, [0.0, np.log(0.5), 0.25 * np.log(0.5), np.log(3.0)], rtol=1e-12)
    assert_close(shares(lambda a: a**0, np.zeros(2), g=np.ones(2))[0], np.zeros(2))
    with np.errstate(all="ignore"):  # infinity, and a root that does not exist: no slope by the exponent
        of_exponent = shares(lambda a, b: a**b, [0.0, -0.5], [-1.0, 0.5], g=np.ones(2))[1]
    assert_close(of_exponent, np.zeros(2))


@pytest.mark.equation("exp-log-slopes")
def test_the_exponential_is_its_own_slope_and_the_logarithms_is_one_over_x() -> None:
    assert_close(
        shares(sg.exp, X, g=np.arange(12.0).reshape(4, 3))[0].ravel(), np.arange(12) * np.exp(X.ravel())
    )
    assert_close(shares(sg.log, A, g=G)[0], G / A, rtol=1e-14)


@pytest.mark.equation("root-slope")
def test_the_slope_of_a_root_and_of_a_norm_at_zero_and_elsewhere() -> None:
    assert_close(shares(sg.sqrt, [0.0, 0.25, 4.0], g=[5.0, 3.0, 2.0])[0], [0.0, 3.0, 0.5], rtol=1e-14)
    of_norm = shares(lambda x: x.norm(axis=1), [[3.0, -4.0], [0.0, 0.0]], g=[2.0, 2.0])[0]
    assert_close(of_norm, [[1.2, -1.6], [0.0, 0.0]], rtol=1e-14)
    assert check_gradients(sg.sqrt, [0.25, 4.0]) < 1e-7


@pytest.mark.equation("tanh-slope")
@DTYPES
def test_the_slope_of_tanh_is_one_minus_its_square(dtype: Any, rtol: float) -> None:
    expected = 1 / np.cosh(X.astype(dtype).astype(np.float64)) ** 2
    assert_close(shares(sg.tanh, X, g=X, dtype=dtype)[0], X * expected, rtol=5 * rtol)


@pytest.mark.equation("sigmoid-slope")
@DTYPES
def test_the_slope_of_the_sigmoid(dtype: Any, rtol: float) -> None:
    expected = np.exp(-X) / (1 + np.exp(-X)) ** 2
    assert_close(shares(sg.sigmoid, X, g=X, dtype=dtype)[0], X * expected, rtol=rtol)


@pytest.mark.equation("erf-slope")
def test_the_slope_of_the_error_function_is_a_bell() -> None:
    assert_close(shares(erf, X, g=X)[0], X * 2 / np.sqrt(np.pi) * np.exp(-(X**2)), rtol=1e-12)


@pytest.mark.equation("mean-vjp")
def test_a_mean_shares_evenly() -> None:
    g = RNG.normal(size=3)
    assert_close(shares(lambda x: x.mean(axis=0), X, g=g)[0], np.tile(g / 4, (4, 1)), rtol=1e-14)
    assert_close(shares(lambda x: x.mean(axis=0, keepdims=True), X, g=g[None])[0], np.tile(g / 4, (4, 1)))
    by_row = RNG.normal(size=4)
    assert_close(shares(lambda x: x.mean(axis=1), X, g=by_row)[0], np.repeat(by_row[:, None] / 3, 3, axis=1))
    assert_close(shares(lambda x: x.mean(), X, g=3.0)[0], np.full((4, 3), 0.25), rtol=1e-14)
    g = RNG.normal(size=4)
    assert_close(shares(lambda x: x.mean(axis=1), X, g=g)[0], np.tile(g[:, None] / 3, (1, 3)), rtol=1e-14)


@pytest.mark.equation("variance-vjp")
@pytest.mark.parametrize("correction", [0, 1])
def test_a_variance_pulls_each_number_from_the_mean(correction: int) -> None:
    g = RNG.normal(size=3)
    found = shares(lambda x: x.var(axis=0, correction=correction), X, g=g)[0]
    assert_close(found, g * 2 * (X - X.mean(0)) / (4 - correction), rtol=1e-12)
    kept = shares(lambda x: x.var(axis=0, keepdims=True, correction=correction), X, g=g[None])[0]
    assert_close(kept, found, rtol=1e-14)
    of_rows = shares(lambda x: x.var(axis=1, correction=correction), X.T, g=g)[0]
    assert_close(of_rows, found.T, rtol=1e-12)
    # The mean moves too, but that does not matter: the deviations add up to nothing.
    h = 1e-6 * np.eye(4)[:, :, None]
    values = [(X + sign * h).var(axis=1, ddof=correction) for sign in (1, -1)]
    assert_close(found, g * (values[0] - values[1]) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.equation("max-vjp")
def test_the_largest_takes_all_and_ties_share() -> None:
    x = [[1.0, 5.0, 2.0], [4.0, 0.0, 4.0]]
    assert_close(shares(lambda x: x.max(axis=1), x, g=[3.0, 8.0])[0], [[0, 3.0, 0], [4.0, 0, 4.0]])
    assert_close(shares(lambda x: x.min(axis=1), x, g=[3.0, 8.0])[0], [[3.0, 0, 0], [0, 8.0, 0]])
    a, b, g = [1.0, 2.0, 3.0], [0.0, 2.0, 7.0], [4.0, 6.0, 8.0]
    for f, winners in ((maximum, ([4.0, 3.0, 0], [0, 3.0, 8.0])), (minimum, ([0, 3.0, 8.0], [4.0, 3.0, 0]))):
        for found, expected in zip(shares(f, a, b, g=g), winners, strict=True):
            assert_close(found, expected)


@pytest.mark.equation("log-sum-exp-vjp")
def test_the_share_of_a_logsumexp_is_a_softmax() -> None:
    g = RNG.normal(size=4)
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    assert_close(shares(lambda x: logsumexp(x, axis=1), X, g=g)[0], g[:, None] * p, rtol=1e-12)
    kept = shares(lambda x: logsumexp(x, axis=1, keepdims=True), X, g=g[:, None])[0]
    assert_close(kept, g[:, None] * p, rtol=1e-12)
    empty = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
    assert_close(shares(lambda x: logsumexp(x, axis=1), empty, g=[2.0, 3.0])[0], [[0, 0], [0, 3.0]])


@pytest.mark.equation("softmax")
def test_softmax_is_positive_sums_to_one_and_does_not_notice_a_shift() -> None:
    y = sg.asnumpy(softmax(sg.asarray(X), axis=1))
    assert_close(y, np.exp(X) / np.exp(X).sum(1, keepdims=True), rtol=1e-14)
    assert_close(softmax(sg.asarray(X + 5000.0), axis=1), y, rtol=1e-9)
    apart = X + np.array([[5000.0], [0.0], [-5000.0], [1.0]])  # each row has a largest number of its own
    assert_close(softmax(sg.asarray(apart), axis=1), y, rtol=1e-9)
    one_is_far = softmax(sg.asarray(np.array([[-3000.0, 1.0, 2.0]])), axis=1)
    assert_close(one_is_far, [[0.0, 1 / (1 + np.e), np.e / (1 + np.e)]], rtol=1e-12)
    assert_close(softmax(sg.asarray(X), axis=0), np.exp(X) / np.exp(X).sum(0), rtol=1e-14)


@pytest.mark.equation("log-softmax-vjp")
def test_the_share_of_a_log_softmax() -> None:
    g = RNG.normal(size=(4, 3))
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    jacobian = np.eye(3)[None] - p[:, None, :]  # (row, i, j): d log p_i / d x_j
    expected = np.einsum("ni,nij->nj", g, jacobian)
    assert_close(shares(lambda x: log_softmax(x, axis=1), X, g=g)[0], expected, rtol=1e-12)


@pytest.mark.equation("running-sum-vjp")
@pytest.mark.parametrize("axis", [0, 1])
def test_a_number_is_in_all_later_sums(axis: int) -> None:
    g = RNG.normal(size=(4, 3))
    matrix = np.tril(np.ones((X.shape[axis], X.shape[axis])))  # y = matrix x along the axis
    expected = matrix.T @ g if axis == 0 else g @ matrix
    assert_close(shares(lambda x: cumsum(x, axis=axis), X, g=g)[0], expected, rtol=1e-12)


@pytest.mark.equation("einsum-vjp")
def test_the_share_of_an_operand_is_an_einsum_of_all_the_others() -> None:
    a, b, c = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(4,))
    g = RNG.normal(size=2)
    found = shares(lambda *x: einsum("ij,jk,k->i", *x), a, b, c, g=g)
    for share, expected in zip(found, (g[:, None] * (b @ c), np.outer(g @ a, c), g @ a @ b), strict=True):
        assert_close(share, expected, rtol=1e-12)
    of_a, of_b = shares(lambda a, b: einsum("ij,k->k", a, b), a, c, g=(h := RNG.normal(size=4)))
    assert_close(of_a, np.full((2, 3), h @ c), rtol=1e-12)  # i and j were summed, so it is the same for all
    assert_close(of_b, h * a.sum(), rtol=1e-12)
