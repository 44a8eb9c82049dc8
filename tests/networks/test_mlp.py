"""MLP: affine maps with a nonlinearity between them."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import MLP
from scratchgen.nn import Linear, Tanh


def test_it_is_the_composition() -> None:
    network = MLP([3, 5, 4, 2], activation=Tanh, rng=RandomStream(0)).to(np.float64)
    x = RandomStream(1).normal((6, 3), np.float64)
    h = sg.asnumpy(x)
    for i in (0, 2, 4):
        h = h @ sg.asnumpy(network[i].weight).T + sg.asnumpy(network[i].bias)
        h = np.tanh(h) if i < 4 else h
    assert_close(network(x), h, rtol=1e-12, atol=1e-14)


def test_layers_and_names() -> None:
    network = MLP([784, 256, 10])
    assert [type(layer).__name__ for layer in network] == ["Linear", "ReLU", "Linear"]
    assert list(network.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert network.parameter_count() == 784 * 256 + 256 + 256 * 10 + 10
    assert [type(layer) for layer in MLP([2, 3])] == [Linear]


def test_first_weights_come_from_the_stream_and_differ_between_layers() -> None:
    one, same, other = (MLP([4, 4, 4], rng=RandomStream(seed)).state_dict() for seed in (0, 0, 1))
    assert_close(one["2.weight"], same["2.weight"])
    assert not np.isin(one["0.weight"], other["0.weight"]).any()
    assert not np.isin(one["0.weight"], one["2.weight"]).any()


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"sizes: got \[3\], expected at least an input and an output width"):
        MLP([3])
    with pytest.raises(ValueError, match=r"sizes\[1\]: got 0, expected a positive whole number"):
        MLP([3, 0, 2])


def test_what_is_no_list_no_class_or_no_stream_is_refused() -> None:
    with pytest.raises(TypeError, match=r"sizes: got 3, expected a list of widths such as \[784, 256, 10\]"):
        MLP(3, 4, 2)  # type: ignore[arg-type]
    for given, shown in (("relu", "'relu'"), (Tanh(), r"Tanh\(\)")):
        with pytest.raises(TypeError, match=f"activation: got {shown}, expected a class of Modules"):
            MLP([3, 2], activation=given)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        MLP([3, 2], rng=0)  # type: ignore[arg-type]
