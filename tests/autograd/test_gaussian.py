"""The normal distribution's tail: values and slopes from far left to far right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import erfcx

X = np.array([-1e6, -300.0, -40.0, -8.0, -1.0, -1e-4, 0.0, 1e-4, 1.0, 5.0, 40.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_logarithm_keeps_its_digits(dtype: Any) -> None:
    found = sg.log_ndtr(sg.asarray(X, dtype))
    assert found.dtype == dtype
    assert_close(found, special.log_ndtr(X), rtol=1e-6 if dtype == np.float32 else 1e-12, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_slope_is_right_where_both_density_and_probability_vanish(dtype: Any) -> None:
    x = sg.tensor(X.astype(dtype), requires_grad=True)
    (found,) = sg.grad(sg.log_ndtr(x).sum(), x)
    with np.errstate(over="ignore"):
        expected = np.sqrt(2 / np.pi) / special.erfcx(-X / np.sqrt(2))  # about -x far to the left
    assert_close(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-30)
    assert_close(sg.asnumpy(found)[:2], -X[:2], rtol=2e-5)


def test_erfcx_is_the_tail_without_its_decay() -> None:
    x = np.array([0.0, 0.5, 2.0])
    assert_close(erfcx(sg.asarray(x)), np.exp(x**2) * special.erfc(x), rtol=1e-12)
