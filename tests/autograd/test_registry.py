"""What must hold for every primitive, whatever it computes: a walk through the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from primitive_examples import EXAMPLES, Example
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import registry
from scratchgen.backend import RandomStream

CASES = [pytest.param(name, e, id=f"{name} {e}") for name, examples in EXAMPLES.items() for e in examples]
every_case = pytest.mark.parametrize(("name", "example"), CASES)


def tensors(example: Example, dtype: Any = np.float64) -> list[sg.Tensor]:
    return [sg.tensor(x.astype(dtype), requires_grad=True) for x in example.inputs]


def cotangent_for(y: Any, seed: int = 0) -> Any:
    return RandomStream(seed, "cotangent").normal(y.shape, np.float64).astype(y.dtype)  # one for both dtypes


def gradients(name: str, example: Example, inputs: list[sg.Tensor]) -> tuple[sg.Tensor, list[Any]]:
    y = example.call(registry[name], *inputs)
    return y, sg.grad(y, inputs, cotangent_for(y))


def test_every_primitive_has_examples() -> None:
    assert set(registry) == set(EXAMPLES), (
        "each primitive of the package needs its line in primitive_examples.py"
    )
    assert all(EXAMPLES.values())


@every_case
def test_derivatives_agree_with_finite_differences_to_second_order(name: str, example: Example) -> None:
    sg.check_gradients(lambda *inputs: example.call(registry[name], *inputs), *example.inputs)


@every_case
def test_raw_arrays_give_a_raw_array_of_the_same_value(name: str, example: Example) -> None:
    y = example.call(registry[name], *tensors(example))
    raw = example.call(registry[name], *(sg.asarray(x) for x in example.inputs))
    assert not isinstance(raw, sg.Tensor)
    assert_close(raw, y, rtol=0)
    assert y.requires_grad
    assert y.origin[0] is registry[name]


@every_case
def test_float32_stays_float32_in_value_gradients_and_second_derivatives(name: str, example: Example) -> None:
    inputs = tensors(example, np.float32)
    y = example.call(registry[name], *inputs)
    assert y.dtype == (np.float64 if name == "astype" else np.float32)
    g = sg.tensor(cotangent_for(y), requires_grad=True)
    first = sg.grad(y, inputs, g, create_graph=True)
    assert [x.dtype for x in first] == [np.float32] * len(inputs)
    for x in first:
        second = sg.grad(x, [*inputs, g], cotangent_for(x))
        assert [s.dtype for s in second] == [*([np.float32] * len(inputs)), y.dtype]
    _, wide = gradients(name, example, tensors(example))
    for narrow, exact in zip(first, wide, strict=True):
        scale = np.max(np.abs(sg.asnumpy(exact)), initial=1.0)
        assert_close(narrow, exact, rtol=1e-4, atol=1e-5 * scale)


def layouts(x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """The same numbers laid out in memory in unusual ways."""
    yield "Fortran order", sg.asarray(x.T.copy()).T
    if x.ndim:
        yield "every second number", sg.asarray(np.repeat(x, 2, axis=-1))[..., ::2]
        yield "backwards", sg.asarray(x[::-1].copy())[::-1]
        yield "a part of a larger array", sg.asarray(np.pad(x, 1))[tuple(slice(1, 1 + n) for n in x.shape)]


@every_case
def test_the_layout_in_memory_does_not_matter(name: str, example: Example) -> None:
    y, expected = gradients(name, example, tensors(example))
    for laid_out in zip(*(layouts(x) for x in example.inputs), strict=False):
        inputs = [sg.Tensor(x, requires_grad=True) for _, x in laid_out]
        z, found = gradients(name, example, inputs)
        assert_close(z, y, rtol=1e-12, atol=1e-14)
        for a, b in zip(found, expected, strict=True):
            assert_close(a, b, rtol=1e-12, atol=1e-14)


@every_case
def test_backward_twice_adds_the_same_gradient_again(name: str, example: Example) -> None:
    inputs = tensors(example)
    inner = [x * 1.0 for x in inputs]
    y = example.call(registry[name], *inner)
    y.backward(cotangent_for(y))
    once = [sg.asnumpy(x.grad).copy() for x in inputs]
    y.backward(cotangent_for(y))
    for x, gradient in zip(inputs, once, strict=True):
        assert_close(x.grad, 2 * gradient, rtol=1e-14)
    assert all(x.grad is None for x in (y, *inner))


@every_case
def test_gradients_share_no_memory_with_each_other_the_cotangent_or_a_value(
    name: str, example: Example
) -> None:
    inputs = tensors(example)
    y = example.call(registry[name], *inputs)
    g = cotangent_for(y)
    found = sg.grad(y, inputs, g)
    watched = [y.data, g, *(x.data for x in inputs), *found]
    before = [sg.asnumpy(x).copy() for x in watched]
    for i, gradient in enumerate(found):
        gradient[...] = 77.0
        before[len(watched) - len(found) + i][...] = 77.0
        for x, value in zip(watched, before, strict=True):
            assert_close(x, value, rtol=0)


@every_case
def test_the_vjp_is_linear_in_its_cotangent(name: str, example: Example) -> None:
    inputs = tensors(example)
    y = example.call(registry[name], *inputs)
    g, h = cotangent_for(y, 1), cotangent_for(y, 2)
    parts = zip(sg.grad(y, inputs, g), sg.grad(y, inputs, h), strict=True)
    for together, (a, b) in zip(sg.grad(y, inputs, 2 * g - h), parts, strict=True):
        assert_close(together, 2 * a - b, rtol=1e-10, atol=1e-12)
