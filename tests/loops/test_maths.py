"""The functions of one number that loops are made of, over float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from scratchgen.backend import compiled

pytestmark = [
    pytest.mark.host_only,
    pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops"),
]

if compiled.available():
    from scratchgen.loops import maths

    @compiled.loop
    def exps(x, y):
        for i in range(x.size):
            y[i] = maths.exp(x[i])

    @compiled.loop
    def sigmoids(x, y):
        for i in range(x.size):
            y[i] = maths.sigmoid(x[i])

    @compiled.loop
    def tanhs(x, y):
        for i in range(x.size):
            y[i] = maths.tanh(x[i])

    @compiled.loop
    def softpluses(x, y):
        for i in range(x.size):
            y[i] = maths.softplus(x[i])

    @compiled.loop
    def erfs(x, y):
        for i in range(x.size):
            y[i] = maths.erf(x[i])

    LOOPS = {"exp": exps, "sigmoid": sigmoids, "tanh": tanhs, "softplus": softpluses, "erf": erfs}

EXACT: dict[str, Any] = {
    "exp": np.exp,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x),
    "erf": special.erf,
}


def every_float(step: int) -> np.ndarray:
    """Every `step`-th number of float32 by its bits: denormals, infinities and NaN among them."""
    bits = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 88.72, 88.73, -87.3, -103.9]
    return np.concatenate([bits.view(np.float32), np.array(special, np.float32)])


def neighbours(x: float, count: int) -> np.ndarray:
    """The numbers of float32 next to `x`, on either side."""
    at = int(np.float32(x).view(np.uint32))
    return np.arange(at - count, at + count, dtype=np.uint32).view(np.float32)


@pytest.mark.parametrize("name", LOOPS if compiled.available() else [])
@pytest.mark.parametrize("sign", [-1, 1])
def test_no_number_where_the_exponent_ends_gives_nan(name: str, sign: int) -> None:
    """The largest float32 is e^88.7228391; e^88.7228394, the next that can be asked for, is infinity."""
    edges = [88.722839, 88.376, 87.336, 103.27, 104.0]  # infinity, 2^127.5, denormals, 0, where x is held
    x = np.concatenate([sign * neighbours(edge, 10_000) for edge in edges])
    y = np.empty_like(x)
    LOOPS[name](x, y)
    assert not np.isnan(y).any()


@pytest.mark.parametrize(
    ("name", "ulps"), [("exp", 2), ("sigmoid", 4), ("tanh", 4), ("softplus", 4), ("erf", 8)]
)
def test_errors_are_a_few_units_in_the_last_place(name: str, ulps: int) -> None:
    x = np.concatenate([every_float(1009), np.linspace(-110, 110, 1_000_003, dtype=np.float32)])
    y = np.empty_like(x)
    LOOPS[name](x, y)
    with np.errstate(all="ignore"):
        exact = EXACT[name](x.astype(np.float64))
        rounded = exact.astype(np.float32)
        np.testing.assert_array_equal(np.isnan(y), np.isnan(rounded))
        np.testing.assert_array_equal(np.isinf(y), np.isinf(rounded))
        finite = np.isfinite(rounded)
        # e^-x is infinite before s(x) is 0: there s is 0 instead of a denormal number, as in the formula.
        size = np.maximum(np.abs(rounded[finite]), np.finfo(np.float32).tiny * (name == "sigmoid") * 2**22)
        error = np.abs(y[finite] - exact[finite]) / np.spacing(size.astype(np.float32))
    worst = np.argmax(error)
    assert error[worst] <= ulps, (
        f"{name}({x[finite][worst]!r}) = {y[finite][worst]!r}, {error[worst]} ulp off"
    )


def test_the_two_zeros() -> None:
    x, y = np.array([0.0, -0.0], np.float32), np.empty(2, np.float32)
    tanhs(x, y)
    assert y.tolist() == [0, 0]
