"""One encoder, two decoders: the loss, the exchange, what the loss cannot see, and places of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_at_most, assert_close, assert_slopes, to_device

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import SwapAutoencoder
from scratchgen.networks import MLP, SpatialPoints
from scratchgen.nn import Linear, Module


def model(dtype: Any = np.float64) -> SwapAutoencoder:
    rng = RandomStream(1)
    decoders = [MLP([2, 4, 3], rng=rng.child("decoder", i)) for i in range(3)]
    return SwapAutoencoder(MLP([3, 5, 2], rng=rng.child("encoder")), decoders).to(dtype)


@pytest.mark.equation("swap-loss")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_every_decoder_draws_its_own_family(dtype: Any, rtol: float) -> None:
    swap, x = model(dtype), np.random.default_rng(2).normal(size=(4, 3, 3)).astype(dtype)
    right = 0.0
    for f in range(3):
        for i in range(4):
            code = swap.encoder(to_device(x[i : i + 1, f]))
            right += ((x[i, f] - sg.asnumpy(swap.decoders[f](code).data)[0]) ** 2).sum() / 4
    assert_close(swap.loss(to_device(x)).data, right, rtol=rtol)
    if dtype is np.float64:
        assert_slopes(lambda: swap.loss(to_device(x)), list(swap.parameters()))


@pytest.mark.equation("swap")
def test_the_other_familys_decoder_draws() -> None:
    swap, x = model(), to_device(np.random.default_rng(3).normal(size=(4, 3)))
    for f in range(3):
        assert_close(swap.swap(x, f), swap.decoders[f](swap.encoder(x)).data, rtol=1e-12)
        assert not isinstance(swap.swap(x, f), sg.Tensor)
    assert np.abs(sg.asnumpy(swap.swap(x, 0) - swap.swap(x, 1))).min() > 1e-3


class Told(Module):
    """An encoder that tells two families apart by the sign of the last number, and recodes one."""

    def __init__(self, encoder: Module, h: np.ndarray) -> None:
        self.encoder, self.h = encoder, h

    def forward(self, x: Any) -> Any:
        code = self.encoder(x)
        return sg.where(raw_sign(x) < 0, code @ to_device(self.h), code)


def raw_sign(x: Any) -> Any:
    return sg.autograd.raw(x)[:, 2:3]


@pytest.mark.equation("swap-blind")
def test_the_loss_does_not_see_whether_codes_agree() -> None:
    """Codes of the second family are turned, and its decoder turns them back."""
    h = np.array([[0.6, 0.8], [-1.6, 1.2]])
    rng = RandomStream(4)
    encoder = MLP([3, 5, 2], rng=rng.child("encoder")).to(np.float64)
    plain, undoing = (Linear(2, 3, rng=rng.child("decoder", i)).to(np.float64) for i in range(2))
    swap = SwapAutoencoder(encoder, [plain, undoing])
    x = np.random.default_rng(5).normal(size=(6, 2, 3))
    x[..., 2] = np.abs(x[..., 2]) * [1, -1]
    before, drawn = swap.loss(to_device(x)).item(), swap.swap(to_device(x[:, 0]), 1)
    weight = sg.asnumpy(undoing.weight.data)
    undoing.weight.data = to_device(weight @ np.linalg.inv(h).T)
    other = SwapAutoencoder(Told(encoder, h), [plain, undoing])
    assert_close(other.loss(to_device(x)).data, before, rtol=1e-12)
    code = sg.asnumpy(encoder(to_device(x[:, 0])).data) @ np.linalg.inv(h)
    assert_close(
        other.swap(to_device(x[:, 0]), 1), code @ weight.T + sg.asnumpy(undoing.bias.data), rtol=1e-10
    )
    assert np.abs(sg.asnumpy(drawn - other.swap(to_device(x[:, 0]), 1))).max() > 0.1


@pytest.mark.equation("spatial-points")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_a_feature_is_where_its_weights_have_their_mean(dtype: Any, rtol: float) -> None:
    network = SpatialPoints(2, points=3, features=4, rng=RandomStream(6)).to(dtype)
    x = np.random.default_rng(7).uniform(size=(2, 2, 8, 12)).astype(dtype)
    marks = network.second(network.bend(network.first(to_device(2 * x - 1))))
    marks = sg.asnumpy(marks.data).astype(np.float64)
    found = network(to_device(x)).data
    right = np.zeros((2, 6))
    for i in range(2):
        for k in range(3):
            weights = np.exp(marks[i, k]) / np.exp(marks[i, k]).sum()  # (4, 6)
            right[i, 2 * k] = (weights.sum(axis=0) * np.linspace(-1, 1, 6)).sum()
            right[i, 2 * k + 1] = (weights.sum(axis=1) * np.linspace(-1, 1, 4)).sum()
    assert_close(found, right, rtol=rtol, atol=rtol)
    if dtype == np.float64:
        assert_slopes(lambda: network(to_device(x)), [network.second.weight, network.second.bias])


@pytest.mark.equation("spatial-points")
def test_points_move_with_the_picture() -> None:
    """A blob that moves by four pixels down and two to the right, far from the edges, on grey ground."""
    network = SpatialPoints(1, points=4, sharpness=400.0, rng=RandomStream(8)).to(np.float64)
    for layer in (network.first, network.second):
        layer.bias.data *= 0
    x = np.full((2, 1, 48, 48), 0.5)
    x[0, 0, 18:22, 20:25] = x[1, 0, 22:26, 22:27] = 1.0
    first, second = sg.asnumpy(network(to_device(x)).data).reshape(2, 4, 2)
    moved = (second - first) * 23 / 2  # in steps of the halved picture
    sharp = np.abs(first).max(axis=1) < 0.5  # features that are at the blob, and not all over the ground
    assert sharp.any()
    assert_at_most(np.abs(moved[sharp] - [1, 2]), 0.05, "pixels of the halved picture")
