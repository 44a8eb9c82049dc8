"""The gradient checker is itself checked: whichever derivative is falsified, however little, it notices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from primitive_examples import EXAMPLES

import scratchgen as sg
from scratchgen.autograd import GradientError, check_gradients, primitive, raw, registry


def _transposed(share: Any) -> Any:
    return share.transpose((*range(share.ndim - 2), share.ndim - 1, share.ndim - 2))


MUTATIONS: dict[str, Callable[[Any], Any]] = {
    "a millionth too large": lambda share: share * (1 + 1e-6),
    "a millionth too small": lambda share: share * (1 - 1e-6),
    "of the wrong sign": lambda share: -1 * share,
    "zero": lambda share: 0 * share,
    "twice as large": lambda share: share + share,
    "transposed": _transposed,
}
VJPS = [
    pytest.param(name, i, position, id=f"{name} input {i}")
    for name, examples in EXAMPLES.items()
    for i, position in enumerate(examples[0].positions())
]


class Falsified:
    """The vjps of a primitive, the one at `position` changed by `mutation`."""

    def __init__(self, vjps: Any, position: int, mutation: Callable[[Any], Any]) -> None:
        self.vjps, self.position, self.mutation = vjps, position, mutation

    def __getitem__(self, i: int) -> Any:
        vjp = self.vjps[i]
        return vjp if i != self.position else lambda *args, **static: self.mutation(vjp(*args, **static))


@pytest.mark.parametrize(("name", "i", "position"), VJPS)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_falsified_derivative_passes(
    monkeypatch: pytest.MonkeyPatch, name: str, i: int, position: int, mutation: str
) -> None:
    operation, example = registry[name], EXAMPLES[name][0]
    if mutation == "transposed" and example.inputs[i].ndim < 2:
        pytest.skip("a vector has no transpose")
    monkeypatch.setattr(operation, "vjps", Falsified(operation.vjps, position, MUTATIONS[mutation]))
    with pytest.raises(GradientError, match=f"order 1: .* with respect to input {i} "):
        check_gradients(lambda *inputs: example.call(operation, *inputs), *example.inputs)


def test_every_vjp_of_the_registry_is_falsified_above() -> None:
    for name, operation in registry.items():
        if isinstance(operation.vjps, tuple):  # of a fixed number of arguments
            assert EXAMPLES[name][0].positions() == list(range(len(operation.vjps))), name


def test_the_error_names_order_input_index_and_both_values() -> None:
    wrong = primitive(lambda g, y, a, b: g * b, lambda g, y, a, b: 3 * g * a)(lambda a, b: a * b)
    with pytest.raises(GradientError) as caught:
        check_gradients(wrong, [1.0, 5.0], [2.0, 4.0])
    message = str(caught.value)
    assert "order 1" in message
    assert "input 1 at index (0,)" in message
    engine, difference = (
        float(number) for number in re.findall(r"is (\S+) by the engine, but (\S+) by", message)[0]
    )
    assert engine == 3.0
    assert difference == pytest.approx(1.0, rel=1e-9)


def test_a_right_first_and_wrong_second_derivative_is_found_at_order_two() -> None:
    frozen = primitive(lambda g, y, x: g * (2 * raw(x)))(
        lambda x: x * x
    )  # raw: invisible to the next derivative
    assert check_gradients(frozen, [1.0, 2.0], order=1) < 1e-7
    with pytest.raises(GradientError, match=r"order 2: .*input 0"):
        check_gradients(frozen, [1.0, 2.0], order=2)


def test_a_right_second_and_wrong_third_derivative_is_found_at_order_three() -> None:
    slope = primitive(lambda g, y, x: g * (6 * raw(x)))(lambda x: 3 * x * x)
    cube = primitive(lambda g, y, x: g * slope(x))(lambda x: x * x * x)
    assert check_gradients(cube, [1.0, 2.0], order=2) < 1e-7
    with pytest.raises(GradientError, match="order 3"):
        check_gradients(cube, [1.0, 2.0], order=3)


def test_a_derivative_that_is_missing_is_found() -> None:
    with pytest.raises(GradientError, match=r"is 0\.0 by the engine"):
        check_gradients(lambda x: sg.tensor(x.data * 2), [1.0])


def test_one_false_entry_among_many_is_found_by_random_projections() -> None:
    mask = sg.asarray(np.eye(1, 100, 37).reshape(10, 10) * 1e-4 + 1)
    almost = primitive(lambda g, y, x: g * mask)(lambda x: x * 1)
    with pytest.raises(GradientError, match="random projection"):
        check_gradients(almost, np.ones((10, 10)))


def test_a_nan_is_an_error_not_a_pass() -> None:
    broken = primitive(lambda g, y, x: g * np.nan)(lambda x: x * 1)
    with pytest.raises(GradientError, match="nan"):
        check_gradients(broken, [1.0])


def test_the_error_returned_is_small_but_not_zero_for_a_curved_function() -> None:
    error = check_gradients(lambda x: sg.exp(x) * x, [0.3, -0.2, 1.0])
    assert 0 < error < 1e-9


def test_it_computes_in_float64_whatever_it_is_given() -> None:
    seen = []

    def f(x: sg.Tensor) -> sg.Tensor:
        seen.append(x.dtype)
        return x * x

    check_gradients(f, np.ones(2, np.float32), order=1)
    assert set(seen) == {np.dtype(np.float64)}


def test_a_function_that_returns_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match=r"result of f: got (ndarray|StrictArray), expected Tensor"):
        check_gradients(lambda x: x.data, [1.0])


def test_a_third_derivative_of_a_whole_expression() -> None:
    assert (
        check_gradients(
            lambda x, w: sg.tanh(sg.matmul(x, w)).sum(axis=0), np.eye(2), np.ones((2, 1)), order=3
        )
        < 1e-7
    )


def test_there_is_no_derivative_of_order_zero() -> None:
    with pytest.raises(ValueError, match="order: got 0, expected a positive whole number"):
        check_gradients(lambda x: x * x, [1.0], order=0)
