"""Masked layers: what an output can see is what its degree allows, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import MaskedLinear
from scratchgen.networks.masked import spread_degrees

some_degrees = st.lists(st.integers(1, 6), min_size=1, max_size=7)


@pytest.mark.equation("made-mask")
@given(some_degrees, some_degrees, st.booleans(), st.integers(0, 9))
@settings(max_examples=50, derandomize=True)
def test_the_jacobian_is_nonzero_where_the_degrees_allow(
    below: list[int], above: list[int], strict: bool, seed: int
) -> None:
    layer = MaskedLinear(below, above, strict, RandomStream(seed)).to("float64")
    x = sg.Tensor(RandomStream(seed, "x").normal((1, len(below)), np.float64), requires_grad=True)
    jacobian = [sg.asnumpy(sg.grad(layer(x)[0, k], [x])[0])[0] for k in range(len(above))]
    allowed = [[m < k if strict else m <= k for m in below] for k in above]
    assert_close(np.array(jacobian) != 0, allowed, rtol=0)


@pytest.mark.equation("masked-linear-layer")
def test_it_is_an_affine_map_with_the_weights_that_are_left() -> None:
    layer = MaskedLinear([1, 2, 3], [2, 1], rng=RandomStream(0)).to("float64")
    x = np.array([[0.3, -1.2, 5.0], [2.0, 0.7, -4.0]])
    (a, b, _), (c, _, _) = sg.asnumpy(layer.weight)
    first, second = sg.asnumpy(layer.bias)
    by_hand = [[first + 0.3 * a - 1.2 * b, second + 0.3 * c], [first + 2 * a + 0.7 * b, second + 2 * c]]
    assert_close(layer(sg.asarray(x)), by_hand, rtol=1e-12)
    assert_slopes(lambda: layer(sg.asarray(x)), layer.parameters())


def test_what_is_masked_learns_nothing() -> None:
    layer = MaskedLinear([1, 2], [1, 2], strict=True, rng=RandomStream(0))
    layer(sg.asarray(np.ones((4, 2), np.float32))).sum().backward()
    np.testing.assert_array_equal(sg.asnumpy(layer.weight.grad), [[0, 0], [4, 0]])


@given(st.integers(1, 30), st.integers(1, 12))
@settings(derandomize=True)
def test_degrees_are_spread_in_order_and_over_all_if_there_are_enough_units(units: int, dim: int) -> None:
    degrees = spread_degrees(units, dim)
    assert len(degrees) == units
    assert (np.diff(degrees) >= 0).all()
    possible = np.arange(1, max(dim, 2))
    assert np.isin(degrees, possible).all()
    if units >= len(possible):
        counts = np.bincount(degrees)[1:]
        assert len(counts) == len(possible)
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("x", [np.zeros((2, 4)), np.zeros(3)])
def test_another_width_is_refused(x: Any) -> None:
    with pytest.raises(ValueError, match=r"x: got shape .*, expected \(batch, 3\)"):
        MaskedLinear([1, 2, 3], [1])(sg.asarray(x.astype(np.float32)))
