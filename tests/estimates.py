"""What an expectation is held against: quadrature in one dimension, the mean of many samples in more."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import measurements
import numpy as np
from scipy import integrate

from scratchgen.backend import asarray, asnumpy


def integral(f: Callable[[Any], Any], low: float, high: float, pieces: int = 8) -> float:
    """The integral of `f`, a function of an array on the device under test, by Gauss and Legendre's rule."""

    def on_host(x: np.ndarray) -> np.ndarray:
        return asnumpy(f(asarray(x)))

    ends = np.linspace(low, high, pieces + 1)
    return sum(integrate.fixed_quad(on_host, a, b, n=60)[0] for a, b in itertools.pairwise(ends))


def assert_mean(samples: Any, expected: Any, errors: float = 5.0) -> None:
    """Assert that the mean of `samples` over their first axis is what is `expected`, for each element.

    It may be off by `errors` standard errors, that is by ``errors * std / sqrt(n)``.
    """
    samples = asnumpy(samples).astype(np.float64)
    expected = np.broadcast_to(asnumpy(expected), samples.shape[1:])
    error = np.abs(samples.mean(axis=0) - expected)
    standard = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert (error <= errors * standard + 1e-12).all(), (
        f"the mean of {len(samples)} samples is {samples.mean(axis=0)}, expected {expected}: "
        f"off by {error / (standard + 1e-300)} standard errors, allowed {errors}"
    )
    share = np.max(error / (errors * standard + 1e-12), initial=0.0)
    measurements.record(share * errors, errors, "standard errors")
