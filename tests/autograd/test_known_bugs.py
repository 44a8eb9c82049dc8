"""Mistakes that other engines made, one test each (found in the trackers of other projects)."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import GradientError, primitive, raw


def variable(x: Any, dtype: Any = np.float64) -> sg.Tensor:
    return sg.tensor(np.asarray(x, dtype), requires_grad=True)


def gradient(f: Any, x: Any) -> np.ndarray:
    v = variable(x)
    return sg.asnumpy(sg.grad(f(v).sum(), v)[0])


def test_duplicate_indices_add_instead_of_overwriting() -> None:
    assert_close(gradient(lambda x: x[[1, 1, 1, 0]], [5.0, 6.0, 7.0]), [1, 3, 0])
    table = np.array([[0, 0], [0, 2]])
    assert_close(gradient(lambda x: x[sg.asarray(table)], [5.0, 6.0, 7.0]), [3, 0, 1])
    assert_close(
        gradient(lambda x: sg.take_along_axis(x, sg.asarray(np.array([2, 2])), 0), [5.0, 6.0, 7.0]), [0, 0, 2]
    )


def test_prod_with_one_zero() -> None:
    assert_close(gradient(sg.prod, [2.0, 0.0, 5.0]), [0, 10, 0])


def test_prod_with_two_zeros() -> None:
    assert_close(gradient(sg.prod, [2.0, 0.0, 0.0]), [0, 0, 0])


@pytest.mark.parametrize("zeros", [(1,), (1, 2), (0, 3)])
def test_running_products_with_zeros(zeros: tuple[int, ...]) -> None:
    """Cumprod as a stack of products: right at zeros, to second order."""
    x = np.array([1.5, 2.0, -1.0, 0.5])
    x[list(zeros)] = 0
    assert sg.check_gradients(lambda v: sg.stack([v[: i + 1].prod() for i in range(4)]), x) < 1e-7


def test_zero_to_the_zero() -> None:
    a, b = variable([0.0]), variable([0.0])
    y = a**b
    assert_close(y, [1.0])
    assert_close(sg.grad(y, [a, b])[0], [0.0])


def test_the_derivative_of_zero_to_the_b_by_b() -> None:
    assert_close(gradient(lambda b: 0.0**b, [0.0, 1.0, 2.5]), [0, 0, 0])
    zeros = sg.asarray(np.zeros(3))
    assert_close(gradient(lambda b: zeros**b, [0.0, 1.0, 2.5]), [0, 0, 0])


def test_the_derivative_by_the_exponent_of_a_negative_base_is_no_nan() -> None:
    base = sg.asarray(np.array([-2.0, -1.0]))
    assert_close(gradient(lambda b: base**b, [2.0, 3.0]), [0, 0])


def test_no_nan_from_the_branch_that_where_does_not_select() -> None:
    def guarded(x: Any) -> Any:
        return sg.where(x > 0, sg.sqrt(x * 1.0), x)  # sqrt has slope 0, not infinity, at 0

    assert_close(gradient(guarded, [0.0, 4.0]), [1, 0.25])
    safe = lambda v: sg.where(v > 0, sg.log(sg.where(v > 0, v, 1)), 0)  # noqa: E731
    assert_close(gradient(safe, [0.0, -1.0, 2.0]), [0, 0, 0.5])


@pytest.mark.parametrize(
    "f",
    [
        sg.sqrt,
        lambda x: sg.sqrt((x * x).sum()),
        lambda x: sg.sqrt(x.var()),
        lambda x: sg.sqrt(sg.square(x).sum(axis=0, keepdims=True)),
    ],
    ids=["sqrt", "norm", "standard deviation", "norm of a column"],
)
def test_norm_std_and_sqrt_at_zero(f: Any) -> None:
    x = variable([0.0, 0.0])
    (first,) = sg.grad(f(x).sum(), x, create_graph=True)
    assert_close(first, [0, 0])
    assert_close(sg.grad(first.sum(), x)[0], [0, 0])


def test_ties_of_max_share_the_cotangent() -> None:
    assert_close(gradient(lambda x: x.max(axis=1), [[2.0, 2.0], [1.0, 3.0]]), [[0.5, 0.5], [0, 1]])
    a, b = variable([2.0]), variable([2.0])
    assert_close(sum(sg.asnumpy(g) for g in sg.grad(sg.maximum(a, b), [a, b])), [1.0])


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 1), (1, 1), (1,), ()])
def test_gradients_have_their_arguments_shape_not_the_broadcast_one(shape: tuple[int, ...]) -> None:
    big = sg.asarray(np.arange(1.0, 7).reshape(2, 3))
    x = variable(np.ones(shape))
    for f in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, sg.maximum):
        for pair in ((x, big), (big, x)):
            assert sg.grad(f(*pair).sum(), x)[0].shape == shape
    total = {(3,): [5, 7, 9], (1, 3): [[5, 7, 9]], (2, 1): [[6], [15]], (1, 1): [[21]], (1,): [21], (): 21}[
        shape
    ]
    assert_close(sg.grad((x * big).sum(), x)[0], np.array(total, float))


def test_no_gradient_buffer_is_shared() -> None:
    x, z = variable([1.0, 2.0]), variable([3.0, 4.0])
    (x + z).sum().backward()
    x.grad[...] = 100
    assert_close(z.grad, [1, 1])


def test_float32_gradients_stay_float32() -> None:
    x = variable([0.5, 1.5], np.float32)
    y = (sg.exp(x) * np.float64(2) / 3 + np.sqrt(2.0) - 0.5 * x**2).mean()
    assert y.dtype == np.float32
    (first,) = sg.grad(y, x, create_graph=True)
    assert first.dtype == np.float32
    assert sg.grad(first.sum(), x)[0].dtype == np.float32


def test_tanh_does_not_overflow_in_its_derivative() -> None:
    x = variable([-1000.0, 1000.0], np.float32)  # 1 / cosh^2 would overflow
    (g,) = sg.grad(sg.tanh(x).sum(), x)
    assert_close(g, [0, 0])


def test_broadcast_to_with_leading_axes() -> None:
    assert_close(gradient(lambda x: sg.broadcast_to(x, (4, 2, 3)), np.ones((2, 1))), [[12.0], [12.0]])


def test_deep_chains_need_no_recursion() -> None:
    x = variable([1.0])
    y = x
    for _ in range(20_000):
        y = y * 1.0
    y.backward()
    assert_close(x.grad, [1.0])


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = variable([1.0])
        y = sg.exp(x) * x
        (g,) = sg.grad(y, x, create_graph=True)
        y.backward()
        alive = [weakref.ref(y), weakref.ref(g)]
        del y, g
        assert [r() for r in alive] == [None, None]
    finally:
        gc.enable()


def test_backward_twice_does_not_accumulate_on_inner_nodes() -> None:
    x = variable([3.0])
    h = x * x
    y = h * h
    y.backward()
    y.backward()
    assert_close(
        x.grad, [2 * 4 * 27.0]
    )  # and not 3 times, as when the cotangent of h is kept from the first walk


def test_unused_inputs_have_zero_gradient() -> None:
    x, unused = variable([1.0]), variable([[1.0, 2.0]])
    assert_close(sg.grad(x * 2, [unused])[0], [[0, 0]])


def test_a_missing_derivative_raises_instead_of_being_zero() -> None:
    opaque = primitive(None)(lambda x: x * x)
    x = variable([2.0])
    with pytest.raises(TypeError, match="no derivative with respect to its argument 0"):
        sg.grad(opaque(x), x)


def test_a_missing_second_derivative_raises_or_is_found_by_the_checker() -> None:
    slope = primitive(None)(lambda x: 2 * x)
    honest = primitive(lambda g, y, x: g * slope(x))(lambda x: x * x)
    x = variable([2.0])
    (first,) = sg.grad(honest(x), x, create_graph=True)
    with pytest.raises(TypeError, match="no derivative"):
        sg.grad(first, x)
    dishonest = primitive(lambda g, y, x: g * (2 * raw(x)))(lambda x: x * x)
    with pytest.raises(GradientError, match="order 2"):
        sg.check_gradients(dishonest, [2.0])
