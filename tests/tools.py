"""What the tests of every folder use: carrying arrays to the device under test, and comparing results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import measurements
import numpy as np

from scratchgen.autograd import Tensor, grad, raw
from scratchgen.backend import asarray, asnumpy


def to_device(x: Any, dtype: Any = None) -> Any:
    """`x` as a raw array on the device that the tests run on."""
    return asarray(x, dtype)


def assert_close(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0.0) -> None:
    """Assert that two results, of whatever device, have one shape and agree element by element.

    An element passes if ``|actual - desired| <= atol + rtol |desired|``, or if both are NaN, or one infinity.
    The ledger shows the error nearest to its tolerance.

    Parameters
    ----------
    actual, desired : array, Tensor, number or nested list
        What was computed, and what is right.
    rtol, atol : float
        The relative and the absolute tolerance.

    Raises
    ------
    AssertionError
        With the number of elements that fail, and the worst of them.
    """
    actual, desired = asnumpy(actual), asnumpy(desired)
    assert actual.shape == desired.shape, f"shapes differ: actual {actual.shape}, desired {desired.shape}"
    wide = np.complex128 if "c" in (actual.dtype.kind, desired.dtype.kind) else np.float64
    a, d = actual.astype(wide), desired.astype(wide)
    with np.errstate(all="ignore"):
        error = np.where((a == d) | (np.isnan(a) & np.isnan(d)), 0.0, np.abs(a - d))
        error = np.where(np.isnan(error), np.inf, error)
        allowed = atol + rtol * np.where(np.isfinite(d), np.abs(d), 0.0)
    failed = error > allowed
    if failed.any():
        worst = np.unravel_index(np.argmax(np.where(failed, error - allowed, -np.inf)), error.shape)
        where = f" at {tuple(map(int, worst))}" if worst else ""
        raise AssertionError(
            f"{failed.sum()} of {failed.size} elements differ; the worst{where}: actual {actual[worst]!r}, "
            f"desired {desired[worst]!r}, difference {error[worst]:.3g}, "
            f"allowed {allowed[worst]:.3g} (rtol={rtol:g}, atol={atol:g})"
        )
    measurements.record_elements(error, allowed, rtol, atol)


def assert_at_most(error: Any, tolerance: float, unit: str = "") -> None:
    """Assert that an error, or the largest of several, is not above its tolerance.

    For what `assert_close` cannot compare: a difference from a bound, a number of standard errors. `unit` is
    what both are counted in.
    """
    largest = float(np.max(asnumpy(error)))
    assert largest <= tolerance, f"the error {largest:.3g} is above {tolerance:g} {unit}".rstrip()
    measurements.record(max(largest, 0.0), tolerance, unit)


def assert_slopes(f: Callable[[], Any], parameters: Iterable[Tensor], rtol: float = 1e-6) -> None:
    """Assert that the gradient of `f`, which reads float64 parameters, is its slope, for each of them.

    The slope is a central difference along a random direction, of a random weighted sum of what `f` gives.
    Where one parameter's gradient is missing, or stops somewhere on its way, the two differ.
    """
    rng, parameters = np.random.default_rng(0), list(parameters)
    y = f()
    weights = rng.normal(size=y.shape)

    def total() -> float:
        return float(np.sum(asnumpy(raw(f())).astype(np.float64) * weights))

    gradients = grad(y, parameters, asarray(weights))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction, start = rng.normal(size=parameter.shape), asnumpy(parameter.data).copy()
        h = 1e-5
        ends = []
        for step in (h, -h):
            parameter.data[...] = asarray(start + step * direction)
            ends.append(total())
        parameter.data[...] = asarray(start)
        slope = (ends[0] - ends[1]) / (2 * h)
        along = float(np.sum(asnumpy(gradient) * direction))
        assert_close(along, slope, rtol=rtol, atol=rtol * max(1.0, abs(total())) * 1e-2)
