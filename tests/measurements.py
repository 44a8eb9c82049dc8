"""How far off the running test was allowed to be, and was: the numbers of the ledger.

The comparisons in `tools` and `estimates` record here what they measured, whenever they pass. Of several in
one test the one nearest to its tolerance counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchgen.autograd import check


@dataclass(frozen=True)
class Measurement:
    """An error and its tolerance, in `unit`: "relative", "standard errors", or "" for the values' own."""

    error: float
    tolerance: float
    unit: str = ""

    @property
    def share(self) -> float:
        """How much of the tolerance the error took; of an exact comparison 0."""
        return self.error / self.tolerance if self.error else 0.0

    def __str__(self) -> str:
        if not self.tolerance:
            return "exact"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.error:.2g} of {self.tolerance:.2g}{unit}"


_largest: Measurement | None = None


def begin() -> None:
    """Forget what was measured: a test begins."""
    global _largest
    _largest = None


def largest() -> Measurement | None:
    """Of what the test measured, that nearest to its tolerance; None if it measured nothing."""
    return _largest


def record(error: Any, tolerance: Any, unit: str = "") -> None:
    """Note an error, as a comparison that passed found it."""
    global _largest
    measurement = Measurement(float(error), float(tolerance), unit)
    if _largest is None or measurement.share > _largest.share:
        _largest = measurement


def record_elements(error: Any, allowed: Any, rtol: float, atol: float) -> None:
    """Note of arrays the element nearest to its tolerance ``atol + rtol |desired|``."""
    with np.errstate(all="ignore"):
        share = np.where(error == 0, 0.0, error / allowed)
    if share.size == 0 or not share.any():
        record(0.0, atol or rtol, "" if atol else "relative")
    elif atol == 0:
        record(share.max() * rtol, rtol, "relative")
    else:
        worst = np.unravel_index(np.argmax(share), share.shape)
        record(error[worst], allowed[worst])


def record_gradient_checks() -> None:
    """Let `check_gradients` note the errors that it finds, wherever it was imported from."""
    compare = check._compare

    def recording(*args: Any) -> float:
        worst = compare(*args)
        record(worst, check.RELATIVE_ERROR, "relative")
        return worst

    check._compare = recording
