"""SinusoidalEmbedding: times as waves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import SinusoidalEmbedding


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 2e-4), (np.float64, 1e-12)])
def test_sines_then_cosines_of_falling_frequency(dtype: Any, atol: float) -> None:
    t = np.array([0, 1, 17, 1000])
    y = SinusoidalEmbedding(6, max_period=100.0)(sg.asarray(t), dtype)
    frequencies = np.array([1, 100 ** (-1 / 3), 100 ** (-2 / 3)])
    angles = t[:, None] * frequencies
    assert y.dtype == dtype
    assert_close(y, np.concatenate([np.sin(angles), np.cos(angles)], axis=1), atol=atol)


def test_every_step_of_a_thousand_has_a_vector_of_its_own() -> None:
    y = sg.asnumpy(SinusoidalEmbedding(32)(sg.asarray(np.arange(1, 1001))))
    distances = np.linalg.norm(y[:, None] - y, axis=2) + 10 * np.eye(1000)
    assert distances.min() > 0.1
    assert_close((y**2).sum(1), np.full(1000, 16.0), rtol=1e-5)


def test_errors() -> None:
    with pytest.raises(ValueError, match="embedding_dim: got 7, expected an even number"):
        SinusoidalEmbedding(7)
    with pytest.raises(ValueError, match="max_period: got 0"):
        SinusoidalEmbedding(8, 0)
    with pytest.raises(ValueError, match=r"t: got shape \(2, 2\), expected \(batch,\)"):
        SinusoidalEmbedding(8)(sg.asarray(np.ones((2, 2))))
