"""The walk back through a graph: what it adds up, leaves alone, refuses and forgets."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import primitive, raw
from scratchgen.autograd.primitive import jointly


def variable(*numbers: float) -> sg.Tensor:
    return sg.tensor(np.array(numbers), requires_grad=True)


def counted(calls: list[str], name: str) -> Any:
    """The identity, whose vjp notes that it was called."""

    def vjp(g: Any, y: Any, x: Any) -> Any:
        calls.append(name)
        return g * 1

    return primitive(vjp)(lambda x: x * 1)


def test_fan_out_adds_the_shares_of_all_paths() -> None:
    x = variable(3.0)
    y = x * x + x  # x is used three times
    (g,) = sg.grad(y * y, x)  # d/dx (x^2 + x)^2 = 2 (x^2 + x)(2x + 1)
    assert_close(g, [2 * 12 * 7.0], rtol=1e-15)


def test_a_diamond_is_walked_once_not_once_a_path() -> None:
    calls: list[str] = []
    x = variable(1.0)
    for _ in range(40):  # 2^40 paths
        x_next = counted(calls, "step")(x)
        x = x_next + x_next
    x.backward()
    assert len(calls) == 40


def test_both_arguments_may_be_the_same_tensor() -> None:
    x = variable(2.0, -3.0)
    assert_close(sg.grad((x * x).sum(), x)[0], [4.0, -6.0])
    assert_close(sg.grad((x - x).sum(), x)[0], [0.0, 0.0])


def test_the_same_variable_asked_for_twice_gets_two_arrays() -> None:
    x = variable(2.0)
    first, second = sg.grad(x * x, [x, x])
    first[...] = 0
    assert_close(second, [4.0])


def test_inner_results_may_be_asked_for() -> None:
    x = variable(2.0)
    inner = x * x
    y = inner * inner * x  # x^5
    assert_close(sg.grad(y, [inner, x])[0], [2 * 4 * 2.0])
    assert_close(sg.grad(y, [inner, x])[1], [5 * 16.0])
    assert_close(sg.grad(y, [inner])[0], [2 * 4 * 2.0])


def test_the_result_itself_may_be_asked_for() -> None:
    x = variable(2.0)
    y = x * x
    g = sg.asarray(np.array([3.0]))
    (same,) = sg.grad(y, y, g)
    assert_close(same, [3.0])
    same[...] = 0
    assert_close(g, [3.0])
    assert_close(sg.grad(x, x)[0], [1.0])


def test_unused_inputs_get_zeros_of_their_shape_and_dtype() -> None:
    x, unused = variable(1.0), sg.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    for create_graph in (False, True):
        _, g = sg.grad(x * x, [x, unused], create_graph=create_graph)
        assert_close(g, np.zeros((2, 3)), rtol=0)
        assert g.dtype == np.float32


def test_backward_leaves_unused_inputs_alone() -> None:
    x, unused = variable(1.0), variable(1.0)
    (x * 2).backward()
    assert unused.grad is None


def test_only_paths_that_reach_what_was_asked_for_are_walked() -> None:
    calls: list[str] = []
    x, w = variable(1.0), variable(2.0)
    h = counted(calls, "h")(x)
    y = counted(calls, "x side")(h) * counted(calls, "w side")(w)
    sg.grad(y, w)
    assert calls == ["w side"]
    calls.clear()
    sg.grad(y, h)
    assert calls == ["x side"]


def test_constants_take_part_in_no_walk() -> None:
    calls: list[str] = []
    constant = sg.tensor(np.array([5.0]))
    y = counted(calls, "constant")(constant) * variable(1.0)
    y.backward()
    assert calls == []
    assert constant.grad is None


def test_nested_gradients() -> None:
    x = variable(0.7)
    y = sg.sin(x)
    for expected in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7), np.cos(0.7)):
        (y,) = sg.grad(y, x, create_graph=True)
        assert_close(y, [expected], rtol=1e-14)


def test_a_gradient_used_within_a_loss() -> None:
    """The norm of a gradient, as in WGAN-GP: d/dw (d(w x^2)/dx)^2 = 8 w x^2."""
    x, w = variable(3.0), variable(2.0)
    (slope,) = sg.grad(w * x * x, x, create_graph=True)
    (slope * slope).backward()
    assert_close(w.grad, [8 * 2 * 9.0])
    assert_close(x.grad, [8 * 4 * 3.0])


def test_derivatives_with_respect_to_the_cotangent() -> None:
    x, g = variable(1.0, 2.0), variable(3.0, 4.0)
    (pulled,) = sg.grad(x * x, x, g, create_graph=True)  # 2 x g
    assert_close(sg.grad(pulled.sum(), g)[0], [2.0, 4.0])


def test_third_derivatives_of_a_composition() -> None:
    x = variable(0.3)
    y = sg.exp(sg.tanh(x) * x)
    for _ in range(3):
        (y,) = sg.grad(y, x, create_graph=True)
    f = lambda t: np.exp(np.tanh(t) * t)  # noqa: E731
    h = 1e-2
    points, weights = np.array([-3, -2, -1, 1, 2, 3]), np.array([1 / 8, -1, 13 / 8, -13 / 8, 1, -1 / 8])
    assert_close(y, [np.sum(weights * f(0.3 + h * points)) / h**3], rtol=1e-5)


def test_create_graph_records_within_no_grad() -> None:
    x = variable(3.0)
    y = x * x * x
    with sg.no_grad():
        (first,) = sg.grad(y, x, create_graph=True)
        assert not (x * x).requires_grad
    assert_close(sg.grad(first, x)[0], [18.0])


def test_without_create_graph_nothing_is_recorded_and_raw_arrays_come_back() -> None:
    x = variable(3.0)
    (g,) = sg.grad(x * x, x)
    assert not isinstance(g, sg.Tensor)


def test_backward_twice_accumulates_on_leaves_only() -> None:
    x = variable(3.0)
    inner = x * x
    y = inner * x
    y.backward()
    y.backward()
    assert_close(x.grad, [2 * 27.0])
    assert inner.grad is None
    assert y.grad is None


def test_backward_of_a_leaf_is_its_cotangent() -> None:
    x = variable(1.0, 2.0)
    x.backward(sg.asarray(np.array([5.0, 7.0])))
    assert_close(x.grad, [5.0, 7.0])


def test_gradients_of_numbers_without_axes_stay_arrays() -> None:
    x = sg.tensor(np.array(2.0), requires_grad=True)
    for times in (1, 2, 3):
        (x * x).backward()
        assert type(x.grad) is type(x.data)
        assert_close(x.grad, 4.0 * times)


def test_a_gradient_may_be_changed_in_place() -> None:
    x, w = variable(1.0, 2.0), variable(3.0, 4.0)
    y = (x + w).sum()  # one cotangent reaches both
    y.backward()
    x.grad[...] *= 0.5
    assert_close(w.grad, [1.0, 1.0])
    y.backward()
    assert_close(x.grad, [1.5, 1.5])
    assert_close(w.grad, [2.0, 2.0])


@pytest.mark.parametrize("view", [lambda x: x.reshape(2, 1), lambda x: x[None], lambda x: x.T, lambda x: x])
def test_a_gradient_that_is_a_view_of_the_cotangent_is_copied(view: Any) -> None:
    x = variable(1.0, 2.0)
    y = view(x)
    g = sg.asarray(np.ones(y.shape))
    y.backward(g)
    x.grad[...] = 7
    assert_close(g, np.ones(y.shape))


@pytest.mark.parametrize("create_graph", [False, True])
def test_no_two_gradients_are_one_array(create_graph: bool) -> None:
    a, b = variable(1.0, 2.0), variable(3.0, 4.0)
    g = sg.tensor(np.array([1.0, 10.0]))
    first, second = sg.grad(a + b, [a, b], g, create_graph=create_graph)
    assert first is not second
    raw(first)[...] = 7
    assert_close(second, [1.0, 10.0])
    assert_close(g, [1.0, 10.0])


def test_a_gradient_of_its_own_is_part_of_the_graph_still() -> None:
    a, b, g = variable(1.0, 2.0), variable(3.0, 4.0), variable(1.0, 10.0)
    first, second = sg.grad(a * b.detach() + b, [a, b], g * g, create_graph=True)
    assert_close(sg.grad(first.sum() + second.sum(), g)[0], [2.0 * (3 + 1), 20.0 * (4 + 1)])


def test_threads_that_share_their_leaves_lose_no_gradient() -> None:
    x = variable(0.0, 0.0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:

        def work() -> None:
            for _ in range(500):
                (x * 2).backward(sg.asarray(np.ones(2)))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert_close(x.grad, [4000.0, 4000.0], rtol=0)


class TestRefusals:
    def test_a_cotangent_of_the_wrong_shape(self) -> None:
        y = variable(1.0, 2.0) * 2
        with pytest.raises(
            ValueError, match=r"cotangent: got float64 of shape \(1,\), expected float64 of shape \(2,\)"
        ):
            y.backward(sg.asarray(np.ones(1)))

    def test_a_cotangent_of_the_wrong_dtype(self) -> None:
        y = variable(1.0, 2.0) * 2
        with pytest.raises(ValueError, match=r"cotangent: got float32 .* expected float64"):
            y.backward(sg.asarray(np.ones(2, np.float32)))

    def test_a_missing_cotangent(self) -> None:
        y = variable(1.0, 2.0) * 2
        with pytest.raises(ValueError, match=r"cotangent: needed for a result of shape \(2,\)"):
            sg.grad(y, [])

    def test_numbers_and_lists_are_cotangents_too(self) -> None:
        x = variable(1.0, 2.0)
        assert_close(sg.grad(x * 2, x, [1, 10])[0], [2.0, 20.0])

    def test_variables_without_requires_grad(self) -> None:
        x = variable(1.0)
        with pytest.raises(ValueError, match=r"xs\[1\]: got a Tensor without requires_grad"):
            sg.grad(x * x, [x, sg.tensor([1.0])])
        with pytest.raises(ValueError, match=r"xs\[0\]: got (ndarray|StrictArray)"):
            sg.grad(x * x, [x.data])

    def test_a_result_that_is_no_tensor(self) -> None:
        with pytest.raises(TypeError, match="y: got float, expected Tensor"):
            sg.grad(1.0, [])

    def test_backward_of_a_constant(self) -> None:
        with pytest.raises(ValueError, match="depends on no Tensor with requires_grad"):
            (sg.tensor([1.0]) * 2).backward()

    def test_an_argument_without_a_derivative(self) -> None:
        with pytest.raises(TypeError, match="condition: got a variable, expected truth values"):
            sg.where(variable(1.0), variable(1.0), variable(2.0))

    @pytest.mark.parametrize("broadcasts", [False, True])
    def test_a_vjp_of_the_wrong_shape(self, broadcasts: bool) -> None:
        bad = primitive(lambda g, y, x: g.T * 1, broadcasts=broadcasts)(lambda x: x * 1)
        x = sg.tensor(np.ones((2, 3)), requires_grad=True)
        with pytest.raises(
            AssertionError, match=r"vjp of <lambda> for argument 0 gave float64 of shape \(3, 2\)"
        ):
            bad(x).sum().backward()

    def test_a_vjp_of_the_wrong_dtype(self) -> None:
        bad = primitive(lambda g, y, x: g.astype(np.float64))(lambda x: x * 1)
        with pytest.raises(AssertionError, match=r"gave float64 of shape .* but the argument is float32"):
            bad(sg.tensor([1.0], requires_grad=True)).backward()

    def test_in_place_assignment(self) -> None:
        x = variable(1.0, 2.0)
        y = x * x
        for tensor in (x, y):
            with pytest.raises(TypeError, match=r"in-place assignment .* sg\.where, sg\.cat or sg\.stack"):
                tensor[0] = 5.0
        assert_close(x, [1.0, 2.0])
        constant = sg.tensor(np.zeros(2))  # may be an argument of a graph as well
        with pytest.raises(TypeError, match="in-place assignment"):
            constant[0] = 5.0
        constant.data[0] = 5.0
        assert_close(constant, [5.0, 0.0])


def test_shares_computed_together_are_computed_once_and_only_where_wanted() -> None:
    calls = []

    def shares(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        calls.append("together")
        return g * b, g * a

    product = primitive(jointly(shares))(lambda a, b: a * b)
    a, b = (sg.tensor([value], requires_grad=True) for value in (2.0, 3.0))
    product(a, b).backward()
    assert (float(a.grad[0]), float(b.grad[0]), calls) == (3.0, 2.0, ["together"])
    (first,) = sg.grad(product(a, b), b, create_graph=True)
    assert_close(sg.grad(first, a)[0], [1.0])
    assert_close(product.vjps[1](1.0, None, 2.0, 3.0), 2.0)
    # An argument that is a constant gets nothing.
    product(a.detach(), b).backward()
    assert (float(a.grad[0]), float(b.grad[0])) == (3.0, 4.0)
    # Off the paths to what was asked for, nothing is computed.
    calls.clear()
    x = sg.tensor([5.0], requires_grad=True)
    assert_close(sg.grad(product(a, b) + x * x, x)[0], [10.0])
    assert calls == []
