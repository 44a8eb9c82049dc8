"""The compiled loops of NADE and of the gate, in float32, against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

from scratchgen.models.autoregressive.nade import nade_logits, nade_shares
from scratchgen.networks.gated import gate, gate_share

pytestmark = pytest.mark.host_only  # loops are for NumPy's arrays
rng = np.random.default_rng(0)


def wide(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


def arguments(n: int, dim: int, hidden: int) -> list[np.ndarray]:
    x = (rng.random((n, dim)) < 0.4).astype(np.float32)
    x[: n // 2] *= rng.standard_normal((n // 2, dim)).astype(np.float32)  # not only zeros and ones
    W, V = rng.standard_normal((2, dim, hidden))
    numbers = [W, rng.standard_normal(hidden), V, rng.standard_normal(dim)]
    return [x, *(a.astype(np.float32) for a in numbers)]


@pytest.mark.equation("nade-hidden")
@pytest.mark.equation("nade-recurrence")
@pytest.mark.equation("nade-conditional")
@pytest.mark.parametrize("size", [(70, 20, 13), (3, 5, 1), (1, 1, 4), (0, 4, 2), (16, 3, 33)])
def test_nade(size: tuple[int, int, int]) -> None:
    given = arguments(*size)
    y = nade_logits(*given)
    assert y.dtype == np.float32
    assert_close(y, nade_logits(*wide(*given)), rtol=1e-5, atol=1e-5)


@pytest.mark.equation("nade-gradient")
@pytest.mark.parametrize("size", [(70, 20, 13), (3, 5, 1), (1, 1, 4), (0, 4, 2), (16, 3, 33)])
def test_the_shares_of_nade(size: tuple[int, int, int]) -> None:
    given = arguments(*size)
    g = rng.standard_normal(given[0].shape).astype(np.float32)
    y = nade_logits(*given)
    for share, formula in zip(nade_shares(g, y, *given), nade_shares(*wide(g, y, *given)), strict=True):
        assert share.dtype == np.float32
        assert_close(share, formula, rtol=1e-4, atol=1e-4)


IMAGES = [(3, 6), (2, 6, 4, 5), (2, 2, 1, 3), (0, 4, 2, 2)]


def layouts(shape: tuple[int, ...]) -> list[Any]:
    """An array in C order, in Fortran order, and one whose channels come last in memory."""
    a = (3 * rng.standard_normal(shape)).astype(np.float32)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)
    return [a, np.asfortranarray(a), last]


@pytest.mark.equation("pixelcnn-gate")
@pytest.mark.parametrize("shape", IMAGES)
def test_the_gate_and_its_share(shape: tuple[int, ...]) -> None:
    for a in layouts(shape):
        y = gate(a)
        assert y.dtype == np.float32
        assert_close(y, gate(a.astype(np.float64)), rtol=1e-5, atol=1e-6)
        for g in layouts((shape[0], shape[1] // 2, *shape[2:])):
            share = gate_share(*wide(g, y, a))
            assert_close(gate_share(g, y, a), share, rtol=1e-5, atol=1e-5)


def test_what_is_not_a_number_stays_none() -> None:
    x, W, c, V, b = arguments(4, 3, 5)
    x[2, 1] = np.nan
    spoilt = np.isnan(nade_logits(x, W, c, V, b))
    np.testing.assert_array_equal(spoilt, np.isnan(nade_logits(*wide(x, W, c, V, b))))
    assert spoilt[2, 2]
    a = np.ones((1, 4), np.float32)
    a[0, 3] = np.nan
    np.testing.assert_array_equal(np.isnan(gate(a)), [[False, True]])
