"""The equations of the engine: what a vjp is, how shares add up, and forms that do not overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import binary_cross_entropy_sum, check, check_gradients, primitive
from scratchgen.autograd.indexing import getitem, scatter
from scratchgen.nn import functional as F

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
LOGITS = np.array([[-30.0, -2.0, 0.0], [1.5, 4.0, 40.0]])
TARGET = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 1.0]])


def variable(x: Any) -> sg.Tensor:
    return sg.tensor(np.asarray(x, np.float64), requires_grad=True)


def jacobian(f: Any, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """All partial derivatives by central differences: shape (*y.shape, *x.shape)."""
    columns = []
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = h
        columns.append((f(x + step) - f(x - step)) / (2 * h))
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


@pytest.mark.equation("vector-jacobian-product")
def test_a_gradient_is_the_cotangent_times_the_jacobian() -> None:
    x, g = RNG.normal(size=4), RNG.normal(size=3)
    matrix = jacobian(lambda x: np.tanh(A @ x) * x[:3], x)  # (3, 4)
    v = variable(x)
    y = sg.tanh(sg.matmul(sg.asarray(A), v)) * v[:3]
    assert_close(sg.grad(y, v, sg.asarray(g))[0], g @ matrix, rtol=1e-8)


@pytest.mark.equation("cotangents-add-up")
def test_shares_of_all_uses_add_up() -> None:
    x = variable([0.7, -1.2])
    first, second = variable([0.7, -1.2]), variable([0.7, -1.2])
    by_use = sg.grad((sg.exp(first) * sg.sin(second)).sum(), [first, second])
    total = sg.grad((sg.exp(x) * sg.sin(x)).sum(), x)[0]
    assert_close(total, sg.asnumpy(by_use[0]) + sg.asnumpy(by_use[1]), rtol=1e-14)
    assert_close(total, np.exp([0.7, -1.2]) * (np.sin([0.7, -1.2]) + np.cos([0.7, -1.2])), rtol=1e-14)


@pytest.mark.equation("cotangents-add-up")
def test_each_result_is_walked_once_however_many_paths_lead_to_it() -> None:
    calls = []

    def vjp(g: Any, y: Any, x: Any) -> Any:
        calls.append(1)
        return g * 1

    step = primitive(vjp)(lambda x: x * 1)
    x = top = variable(1.0)
    for _ in range(30):  # 2^30 paths
        y = step(x)
        x = y + y
    assert_close(sg.grad(x, top)[0], 2.0**30, rtol=0)
    assert len(calls) == 30


@pytest.mark.equation("unbroadcasting")
@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 1), (1, 1), ()])
def test_the_shares_of_copies_are_summed(shape: tuple[int, ...]) -> None:
    small, big, g = RNG.normal(size=shape), A, RNG.normal(size=(3, 4))
    copies = variable(np.broadcast_to(small, (3, 4)).copy())
    share = sg.asnumpy(sg.grad(copies * sg.asarray(big), copies, sg.asarray(g))[0])
    padded = (1,) * (2 - len(shape)) + shape
    axes = tuple(axis for axis in range(2) if padded[axis] == 1)
    expected = share.sum(axis=axes, keepdims=True).reshape(shape)
    v = variable(small)
    assert_close(sg.grad(v * sg.asarray(big), v, sg.asarray(g))[0], expected, rtol=1e-13)


@pytest.mark.equation("hessian-vector-product")
def test_the_same_lines_give_second_derivatives() -> None:
    def f(x: Any) -> Any:
        return (sg.tanh(sg.matmul(sg.asarray(A), x)) ** 2).sum()

    x, v = RNG.normal(size=4), RNG.normal(size=4)

    def slope(x: np.ndarray) -> np.ndarray:
        variable_x = variable(x)
        return sg.asnumpy(sg.grad(f(variable_x), variable_x)[0])

    hessian = jacobian(slope, x)
    point = variable(x)
    (first,) = sg.grad(f(point), point, create_graph=True)
    (product,) = sg.grad((first * sg.asarray(v)).sum(), point)
    assert_close(product, hessian @ v, rtol=1e-7)


def differences(h: float) -> tuple[float, ...]:
    """The errors of both differences of exp at 0.3, with a step h."""

    def along(step: float) -> float:
        return float(np.exp(0.3 + step))

    return tuple(rule(along, h) - np.exp(0.3) for rule in (check.central_difference, check.extrapolated))


@pytest.mark.equation("central-difference")
def test_half_the_step_is_a_quarter_of_the_error() -> None:
    # The leading error is h^2 f''' / 6.
    assert_close(differences(1e-2)[0], 1e-4 * np.exp(0.3) / 6, rtol=1e-4)
    assert_close(differences(1e-2)[0] / differences(5e-3)[0], 4.0, rtol=1e-4)


@pytest.mark.equation("richardson-extrapolation")
def test_half_the_step_is_a_sixteenth_of_the_error() -> None:
    assert_close(differences(0.2)[1] / differences(0.1)[1], 16.0, rtol=2e-2)
    # The leading error is -h^4 times the fifth derivative, divided by 480.
    assert_close(differences(0.1)[1], -1e-4 * np.exp(0.3) / 480, rtol=1e-2)
    engine = check._slope(sg.exp, [sg.asarray(np.array([0.3]))], 0, np.ones(1))
    assert_close(engine, np.exp([0.3]), rtol=1e-11)


@pytest.mark.equation("matmul-vjp")
def test_the_shares_of_a_product_of_matrices() -> None:
    g, a, b = RNG.normal(size=(3, 2)), variable(A), variable(B)
    shares = sg.grad(sg.matmul(a, b), [a, b], sg.asarray(g))
    assert_close(shares[0], g @ B.T, rtol=1e-13)
    assert_close(shares[1], A.T @ g, rtol=1e-13)
    assert_close(shares[0], np.einsum("ik,ikjl->jl", g, jacobian(lambda a: a @ B, A)), rtol=1e-8)


@pytest.mark.equation("linear-layer")
def test_a_layer_of_weights_and_its_three_shares() -> None:
    x, w, bias = (variable(v) for v in (RNG.normal(size=(5, 4)), A, RNG.normal(size=3)))
    g = RNG.normal(size=(5, 3))
    y = F.linear(x, w, bias)
    expected = np.array([[A[o] @ row + sg.asnumpy(bias)[o] for o in range(3)] for row in sg.asnumpy(x)])
    assert_close(y, expected, rtol=1e-12)
    shares = sg.grad(y, [x, w, bias], sg.asarray(g))
    for share, right in zip(shares, (g @ A, g.T @ sg.asnumpy(x), g.sum(0)), strict=True):
        assert_close(share, right, rtol=1e-12)


@pytest.mark.equation("gather-scatter")
def test_gathering_and_scattering_are_adjoint_with_repeated_indices() -> None:
    x, g, index = RNG.normal(size=5), RNG.normal(size=7), np.array([1, 1, 4, 0, 1, 3, 4])
    taken = sg.asnumpy(getitem(sg.asarray(x), index=(sg.asarray(index),)))
    spread = sg.asnumpy(scatter(sg.asarray(g), index=(sg.asarray(index),), shape=(5,)))
    by_hand = np.zeros(5)
    for m, place in enumerate(index):
        by_hand[place] += g[m]
    assert_close(spread, by_hand, rtol=1e-14)
    assert_close(taken @ g, x @ spread, rtol=1e-13)
    v, u = variable(g), RNG.normal(size=5)
    back = sg.grad(scatter(v, index=(sg.asarray(index),), shape=(5,)), v, sg.asarray(u))[0]
    assert_close(back, u[index], rtol=1e-14)
    assert check_gradients(lambda x: scatter(x * x, index=(index,), shape=(5,)), g) < 1e-7


@pytest.mark.equation("product-of-others")
@pytest.mark.parametrize("x", [[2.0, -3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 0.0, 5.0]])
def test_the_derivative_of_a_product_needs_no_division(x: list[float]) -> None:
    v = variable(x)
    others = [np.prod(np.delete(x, i)) for i in range(3)]
    assert_close(sg.grad(sg.prod(v), v)[0], others, rtol=1e-14)


@pytest.mark.equation("log-sum-exp")
@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_the_largest_is_taken_out(shift: float) -> None:
    x = variable(LOGITS + shift)
    y = sg.logsumexp(x, axis=1)
    assert_close(y, special.logsumexp(LOGITS, axis=1) + shift, rtol=1e-14)
    assert_close(sg.grad(y.sum(), x)[0], special.softmax(LOGITS, axis=1), rtol=1e-11)


@pytest.mark.equation("softplus")
def test_both_tails_of_softplus_keep_their_digits() -> None:
    x = variable([-800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0])
    assert_close(sg.softplus(x), np.logaddexp(0, sg.asnumpy(x)), rtol=1e-14)
    assert_close(sg.grad(sg.softplus(x).sum(), x)[0], special.expit(sg.asnumpy(x)), rtol=1e-14)
    single = np.tile(np.float32([-80.0, -1.5, 0.0, 0.3, 2.0, 90.0]), 300)
    assert_close(sg.softplus(sg.asarray(single)), np.logaddexp(0, single.astype(np.float64)), rtol=1e-6)


@pytest.mark.equation("softmax-vjp")
def test_the_share_of_softmax_is_the_product_with_its_jacobian() -> None:
    x, g = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.5, -2.0])
    v, y = variable(x), special.softmax(x)
    share = sg.grad(sg.softmax(v), v, sg.asarray(g))[0]
    assert_close(share, (np.diag(y) - np.outer(y, y)) @ g, rtol=1e-13)
    assert_close(share, g @ jacobian(special.softmax, x), rtol=1e-8)
    rows = RNG.normal(size=(3, 4))
    for axis in (0, 1):
        assert check_gradients(lambda x, axis=axis: sg.softmax(x, axis=axis), rows) < 1e-7


@pytest.mark.equation("binary-cross-entropy")
def test_the_stable_form_is_minus_the_log_of_a_bernoulli() -> None:
    expected = -TARGET * special.log_expit(LOGITS) - (1 - TARGET) * special.log_expit(-LOGITS)
    stable = sg.binary_cross_entropy(sg.asarray(LOGITS), sg.asarray(TARGET))
    assert_close(stable, expected, rtol=1e-13, atol=1e-15)
    # Summed by a formula, and by a loop of two ways: whole blocks of 512 numbers, and what is left over.
    for dtype, rtol in ((np.float64, 1e-13), (np.float32, 1e-6)):
        for times in (60, 400):
            logits, target = np.tile(LOGITS, times).astype(dtype), np.tile(TARGET, times).astype(dtype)
            summed = binary_cross_entropy_sum(sg.asarray(logits), sg.asarray(target))
            assert_close(summed, times * expected.sum(1), rtol=rtol)
            logits[1, 0] = np.nan
            summed = binary_cross_entropy_sum(sg.asarray(logits), sg.asarray(target))
            assert np.isnan(sg.asnumpy(summed)).tolist() == [False, True]


@pytest.mark.equation("binary-cross-entropy-slope")
def test_its_slope_is_probability_minus_target() -> None:
    logits = variable(LOGITS)
    g = np.array([[2.0, -1.0, 0.5], [3.0, 1.5, -0.3]])
    (slope,) = sg.grad(sg.binary_cross_entropy(logits, sg.asarray(TARGET)), logits, sg.asarray(g))
    assert_close(slope, g * (special.expit(LOGITS) - TARGET), rtol=1e-13)
    single = [sg.asarray(a.astype(np.float32)) for a in (LOGITS, TARGET, g)]
    logits = sg.tensor(single[0], requires_grad=True)
    (slope,) = sg.grad(sg.binary_cross_entropy(logits, single[1]), logits, single[2])
    assert_close(slope, g * (special.expit(LOGITS) - TARGET), rtol=1e-5, atol=1e-6)
    rows = [sg.asarray(np.tile(a.astype(np.float32), (300, 1))) for a in (LOGITS, TARGET, g)]
    logits = sg.tensor(rows[0], requires_grad=True)  # so many that the loop takes them
    (slope,) = sg.grad(sg.binary_cross_entropy(logits, rows[1]), logits, rows[2])
    expected = np.tile(g * (special.expit(LOGITS) - TARGET), (300, 1))
    assert_close(slope, expected, rtol=1e-5, atol=1e-6)
    for dtype, rtol in ((np.float64, 1e-13), (np.float32, 1e-6)):
        many = np.tile(LOGITS, 60).astype(dtype)
        logits = sg.tensor(sg.asarray(many), requires_grad=True)
        target = sg.asarray(np.tile(TARGET, 60).astype(dtype))
        summed = binary_cross_entropy_sum(logits, target)
        (slope,) = sg.grad(summed, logits, sg.asarray(np.array([2.0, -3.0], dtype)))
        expected = np.array([[2.0], [-3.0]]) * (special.expit(LOGITS) - TARGET)
        assert_close(slope, np.tile(expected, 60), rtol=rtol, atol=rtol)


@pytest.mark.equation("cross-entropy-loss")
def test_the_slope_of_the_surprise_at_a_label_is_probability_minus_one_hot() -> None:
    logits, labels = variable(LOGITS), np.array([2, 0])
    loss = F.cross_entropy(logits, sg.asarray(labels), "none")
    assert_close(loss, -special.log_softmax(LOGITS, axis=1)[np.arange(2), labels], rtol=1e-13)
    expected = special.softmax(LOGITS, axis=1) - np.eye(3)[labels]
    assert_close(sg.grad(loss.sum(), logits)[0], expected, rtol=1e-12, atol=1e-15)
