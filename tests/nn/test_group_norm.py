"""GroupNorm: every example and group of channels by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import GroupNorm, GroupNormSiLU, functional as F

X = 2 + 3 * sg.asnumpy(RandomStream(0).normal((2, 6, 3, 2), np.float64))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("training", [True, False])
def test_it_normalises_each_group(groups: int, training: bool) -> None:
    layer = GroupNorm(groups, 6, eps=0.5).to(np.float64).train(training)
    weight, bias = (sg.asnumpy(RandomStream(i).normal((6,), np.float64)) for i in (1, 2))
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(bias)
    parts = X.reshape(2, groups, -1)
    parts = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + 0.5)
    expected = parts.reshape(X.shape) * weight[:, None, None] + bias[:, None, None]
    assert_close(layer(sg.asarray(X)), expected, rtol=1e-12, atol=1e-13)
    assert_close(layer(sg.tensor(X, requires_grad=True)), expected, rtol=1e-12, atol=1e-13)


def test_gradients_to_the_second_derivative(check_layer: Callable[..., float]) -> None:
    layer = GroupNorm(2, 4)
    layer.weight.data[...] = sg.asarray([1.0, 2.0, -0.5, 0.3])
    check_layer(layer, X[:, :4, :2])


def test_the_third_derivative() -> None:
    sg.check_gradients(lambda x: F.group_norm(x, 1, eps=0.1), X[:1, :2, :1], order=3)


def test_without_weight_and_bias_and_for_any_number_of_axes() -> None:
    assert list(GroupNorm(2, 6, affine=False).state_dict()) == []
    y = sg.asnumpy(GroupNorm(2, 6, eps=0.0, affine=False)(sg.asarray(X[:, :, 0])))
    assert_close(y.reshape(2, 2, -1).mean(2), np.zeros((2, 2)), atol=1e-13)
    assert_close(y.reshape(2, 2, -1).var(2), np.ones((2, 2)), rtol=1e-12)
    assert GroupNorm(2, 6)(sg.asarray(X[..., None].astype(np.float32))).shape == (2, 6, 3, 2, 1)


def test_dtype_and_empty_batch() -> None:
    x = sg.tensor(X, requires_grad=True, dtype=np.float32)
    y = GroupNorm(3, 6)(x)
    assert y.dtype == sg.grad(y.sum(), x)[0].dtype == np.float32
    assert GroupNorm(3, 6)(sg.asarray(X[:0].astype(np.float32))).shape == (0, 6, 3, 2)


def test_errors() -> None:
    with pytest.raises(ValueError, match="num_groups: got 4, expected a divisor of 6 channels"):
        GroupNorm(4, 6)
    with pytest.raises(ValueError, match="num_groups: got 4, expected a divisor of 6 channels"):
        F.group_norm(sg.asarray(X), 4)
    with pytest.raises(ValueError, match=r"x: got shape \(2, 6, 3, 2\), expected \(batch, 4, ...\)"):
        GroupNorm(2, 4)(sg.asarray(X))
    with pytest.raises(TypeError, match="x: got an array of int64, expected float32 or float64"):
        GroupNorm(2, 6)(sg.asarray(X.astype(np.int64)))
    with pytest.raises(ValueError, match="num_channels: got 0"):
        GroupNorm(1, 0)


def test_with_silu_it_is_group_norm_and_then_silu() -> None:
    both, alone = GroupNormSiLU(2, 6).to(np.float64), GroupNorm(2, 6).to(np.float64)
    alone.initialise(RandomStream(0))
    for parameter in alone.parameters():
        parameter.data[...] = RandomStream(1, parameter.size).normal(parameter.shape, np.float64)
    both.load_state_dict(alone.state_dict())
    x = sg.tensor(RandomStream(2).normal((3, 6, 4, 5), np.float64), requires_grad=True)
    y, z = both(x), F.silu(alone(x))
    assert_close(y, z, rtol=1e-11, atol=1e-12)
    g = RandomStream(3).normal(y.shape, np.float64)
    shares = [sg.grad(a, [x, *m.parameters()], g) for a, m in ((y, both), (z, alone))]
    for found, expected in zip(*shares, strict=True):
        assert_close(found, expected, rtol=1e-10, atol=1e-11)


def test_its_shares_are_the_same_when_they_can_be_differentiated_again() -> None:
    layer = GroupNormSiLU(2, 4).to(np.float64)
    x = sg.tensor(RandomStream(2).normal((3, 4, 2, 2), np.float64), requires_grad=True)
    g = RandomStream(3).normal(x.shape, np.float64)
    fast = sg.grad(layer(x), [x, *layer.parameters()], g)
    slow = sg.grad(layer(x), [x, *layer.parameters()], g, create_graph=True)
    for a, b in zip(fast, slow, strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-11)
