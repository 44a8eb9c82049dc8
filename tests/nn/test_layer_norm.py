"""LayerNorm: every example by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import LayerNorm
from scratchgen.nn.functional import layer_norm

X = np.random.default_rng(0).normal(2, 3, (4, 2, 3))


@pytest.mark.parametrize(("shape", "axes"), [(3, (2,)), ((2, 3), (1, 2)), ((4, 2, 3), (0, 1, 2))])
def test_it_normalises_the_last_axes(shape: Any, axes: tuple[int, ...]) -> None:
    layer = LayerNorm(shape, eps=0.5).to(np.float64)
    weight, bias = (np.random.default_rng(i).normal(size=layer.weight.shape) for i in (1, 2))
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(bias)
    mean, variance = X.mean(axes, keepdims=True), X.var(axes, keepdims=True)
    expected = (X - mean) / np.sqrt(variance + 0.5) * weight + bias
    assert_close(layer(sg.asarray(X)), expected, rtol=1e-12, atol=1e-14)
    assert_close(layer.eval()(sg.asarray(X)), expected, rtol=1e-12, atol=1e-14)


def test_gradients(check_layer: Callable[..., float]) -> None:
    layer = LayerNorm(3)
    layer.weight.data[...] = sg.asarray([1.0, 2.0, -0.5])
    check_layer(layer, X[:2, 0])


def test_the_functional_form_does_without_weight_and_bias() -> None:
    plain = layer_norm(sg.asarray(X), (3,))
    assert_close(plain.mean(axis=-1), np.zeros((4, 2)), atol=1e-14)
    assert_close(plain.var(axis=-1), np.ones((4, 2)), rtol=1e-4)


def test_float32_stays_float32() -> None:
    assert LayerNorm(3)(sg.asarray(X, np.float32)).dtype == np.float32


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"x: got shape \(4, 2, 3\), expected \(..., 2\)"):
        LayerNorm(2)(sg.asarray(X, np.float32))
    for shape in (0, -1, 2.5, (3, 0)):
        with pytest.raises(ValueError, match=r"normalized_shape: got .*, expected a positive whole number"):
            LayerNorm(shape)
    assert LayerNorm(np.int64(3)).weight.shape == (3,)
