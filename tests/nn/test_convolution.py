"""Conv2d and ConvTranspose2d: shapes, parameters, derivatives, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import Conv1d, Conv2d, ConvTranspose2d, functional as F


def images(*shape: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, "images", *shape).normal(shape, np.float64))


def test_a_convolution_is_its_definition() -> None:
    layer = Conv2d(2, 3, kernel_size=(2, 3), stride=(2, 1), padding=(1, 0)).to(np.float64)
    x, w, b = images(2, 2, 4, 5), sg.asnumpy(layer.weight), sg.asnumpy(layer.bias)
    expected = np.zeros((2, 3, 3, 3))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    for o in range(3):
        for p in range(3):
            window = padded[:, :, 2 * o : 2 * o + 2, p : p + 3]
            expected[:, :, o, p] = np.einsum("ncij,kcij->nk", window, w) + b
    assert_close(layer(sg.asarray(x)), expected, rtol=1e-12, atol=1e-13)


def test_a_transposed_convolution_is_the_adjoint_of_the_convolution_of_the_same_weight() -> None:
    how: dict[str, Any] = {"stride": 3, "padding": 1, "dilation": 2, "groups": 2, "bias": False}
    layer = ConvTranspose2d(4, 6, kernel_size=3, output_padding=(0, 2), **how).to(np.float64)
    back = Conv2d(6, 4, kernel_size=3, **how).to(np.float64)
    back.weight.data[...] = layer.weight.data
    x = images(2, 4, 3, 2)
    y = sg.asnumpy(layer(sg.asarray(x)))
    assert y.shape == (2, 6, 9, 8)
    z = images(*y.shape)
    assert np.sum(y * z) == pytest.approx(np.sum(x * sg.asnumpy(back(sg.asarray(z)))), rel=1e-12)


def test_the_bias_is_one_number_for_each_output_channel() -> None:
    for kind in (Conv2d, ConvTranspose2d):
        layer = kind(2, 3, 2).to(np.float64)
        x = sg.asarray(images(1, 2, 4, 4))
        before = sg.asnumpy(layer(x))
        layer.bias.data[...] = layer.bias.data + sg.asarray(np.array([1.0, 2.0, 3.0]))
        assert_close(layer(x), before + np.array([1.0, 2.0, 3.0])[:, None, None], rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv2d(2, 4, (2, 1), stride=2, padding=1, groups=2),
        lambda: ConvTranspose2d(2, 2, 2, stride=2, output_padding=1),
    ],
)
def test_gradients(make: Callable[[], Any], check_layer: Callable[..., float]) -> None:
    check_layer(make(), images(1, 2, 3, 2))


def test_shapes_and_first_weights_are_pytorchs() -> None:
    conv, back = Conv2d(8, 6, (3, 5), groups=2), ConvTranspose2d(8, 6, (3, 5), groups=2)
    assert conv.weight.shape == (6, 4, 3, 5)
    assert back.weight.shape == (8, 3, 3, 5)
    assert conv.bias.shape == back.bias.shape == (6,)
    for layer, fan_in in ((conv, 4 * 15), (back, 3 * 15)):
        drawn = np.abs(sg.asnumpy(layer.weight))
        assert 0.9 < drawn.max() * np.sqrt(fan_in) <= 1
    assert list(Conv2d(1, 1, 1, bias=False).state_dict()) == ["weight"]
    one, same, other = (Conv2d(2, 2, 3, rng=RandomStream(seed)).state_dict()["weight"] for seed in (0, 0, 1))
    assert_close(one, same)
    assert not np.isin(one, other).any()


@pytest.mark.parametrize("kind", [Conv2d, ConvTranspose2d])
def test_an_empty_batch_gives_an_empty_result(kind: Any) -> None:
    layer = kind(2, 3, 2)
    x = sg.tensor(np.zeros((0, 2, 4, 4), np.float32), requires_grad=True)
    y = layer(x)
    assert y.shape[:2] == (0, 3)
    y.sum().backward()
    assert_close(layer.weight.grad, np.zeros(layer.weight.shape))
    assert x.grad.shape == x.shape


def test_what_does_not_fit_is_named() -> None:
    x = sg.asarray(np.zeros((1, 3, 4, 4), np.float32))
    with pytest.raises(ValueError, match="x: got 3 channels, expected 2"):
        Conv2d(2, 4, 3)(x)
    with pytest.raises(
        ValueError, match=r"x: got shape \(1, 3, 4, 4\), expected \(batch, 2, height, width\)"
    ):
        ConvTranspose2d(2, 4, 3)(x)
    with pytest.raises(ValueError, match=r"kernel_size: \(5, 5\) .* larger than the input of \(4, 4\)"):
        Conv2d(3, 4, 5)(x)
    weight = sg.asarray(np.zeros((3, 3, 2, 2), np.float32))
    with pytest.raises(ValueError, match="x: got dtype int64, expected float32 or float64"):
        F.conv2d(sg.asarray(np.zeros((1, 3, 4, 4), np.int64)), weight)
    for function in (F.conv2d, F.conv_transpose2d):
        with pytest.raises(ValueError, match=r"bias: got shape \(1,\), expected \(3,\), one per channel"):
            function(x, weight, weight[0, 0, 0, :1])
    for kind in (Conv2d, ConvTranspose2d):
        with pytest.raises(ValueError, match="groups: got 2, expected a divisor of the 3 input channels"):
            kind(3, 4, 3, groups=2)
        with pytest.raises(ValueError, match="groups: got 2, expected a divisor of the 5 output channels"):
            kind(4, 5, 3, groups=2)
        with pytest.raises(ValueError, match="stride: got 0, expected an integer of at least 1"):
            kind(3, 4, 3, stride=0)
        with pytest.raises(ValueError, match="padding: got 'same'"):
            kind(3, 4, 3, padding="same")
        with pytest.raises(ValueError, match="in_channels: got 0"):
            kind(0, 4, 3)
    with pytest.raises(
        ValueError, match=r"output_padding: got \(2, 2\), expected less than the stride \(2, 2\)"
    ):
        ConvTranspose2d(3, 4, 3, stride=2, output_padding=2)
    with pytest.raises(ValueError, match=r"padding: \(3, 3\) leaves an output"):
        ConvTranspose2d(3, 4, 2, padding=3)(x)


def test_repr() -> None:
    assert repr(Conv2d(3, 8, 3, padding=(1, 2), bias=False)) == (
        "Conv2d(3, 8, kernel_size=(3, 3), padding=(1, 2), bias=False)"
    )
    assert repr(ConvTranspose2d(4, 8, 3, stride=2, output_padding=1, groups=4)) == (
        "ConvTranspose2d(4, 8, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1), groups=4)"
    )


def test_a_convolution_of_sequences_is_its_definition() -> None:
    layer = Conv1d(4, 6, kernel_size=3, stride=2, padding=(2,), dilation=3, groups=2).to(np.float64)
    x = images(2, 4, 13)
    w, b = sg.asnumpy(layer.weight), sg.asnumpy(layer.bias)
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2)))
    expected = np.zeros((2, 6, 6))
    for k in range(6):
        seen = padded[:, 2 * (k // 3) : 2 * (k // 3) + 2]
        for o in range(6):
            expected[:, k, o] = np.einsum("nci,ci->n", seen[:, :, 2 * o : 2 * o + 7 : 3], w[k]) + b[k]
    assert_close(layer(sg.asarray(x)), expected, rtol=1e-12, atol=1e-13)
    assert_close(F.conv1d(sg.asarray(x), layer.weight, layer.bias, 2, 2, 3, 2), expected, rtol=1e-12)


def test_a_convolution_of_sequences_has_gradients_and_pytorchs_shapes(
    check_layer: Callable[..., float],
) -> None:
    layer = Conv1d(4, 2, 3, stride=2, padding=1, groups=2)
    assert layer.weight.shape == (2, 2, 3)
    assert repr(layer) == "Conv1d(4, 2, kernel_size=(3,), stride=(2,), padding=(1,), groups=2)"
    assert layer(sg.asarray(np.zeros((0, 4, 5), np.float32))).shape == (0, 2, 3)
    check_layer(layer, images(2, 4, 5))


def test_what_does_not_fit_a_convolution_of_sequences_is_named() -> None:
    layer, x = Conv1d(4, 2, 3), sg.asarray(np.zeros((2, 4, 9), np.float32))
    for call, words in (
        (lambda: layer(x[None]), r"x: got shape \(1, 2, 4, 9\), expected \(batch, channels, length\)"),
        (lambda: layer(x[:, :3]), "x: got 3 channels, expected 4"),
        (lambda: Conv1d(4, 2, (3, 3)), r"kernel_size: got \(3, 3\), expected an integer of at least 1$"),
        (lambda: F.conv1d(x, layer.weight, stride=0), "stride: got 0, expected an integer"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
