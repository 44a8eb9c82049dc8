"""The comparison that the other tests rely on fails when it should."""

import numpy as np
import pytest
from tools import assert_close, to_device


def test_takes_arrays_of_every_kind():
    assert_close(to_device([1.0, 2.0]), [1.0, 2.0])
    assert_close(3, np.float64(3))
    assert_close([], np.zeros(0))
    assert_close([1, np.nan, np.inf, -np.inf], [1, np.nan, np.inf, -np.inf])
    assert_close([True, False], [1, 0])


def test_reports_the_worst_element():
    desired = np.arange(6.0).reshape(2, 3)
    actual = desired.copy()
    actual[0, 1] += 0.1
    actual[1, 2] += 0.5
    with pytest.raises(AssertionError, match=r"2 of 6 .* worst at \(1, 2\): actual .*5\.5.*, desired .*5\.0"):
        assert_close(actual, desired)


@pytest.mark.parametrize(
    ("actual", "desired"),
    [
        (np.zeros((2, 1)), np.zeros(2)),
        (0.0, [0.0]),
        (np.nan, 0.0),
        (0.0, np.nan),
        (np.inf, -np.inf),
        (np.inf, 1e308),
        (1.0, np.inf),
        (1.0, 1.0 + 2e-7),
        (1e-300, 0.0),
        (1 + 1e-3j, 1.0),
    ],
)
def test_fails(actual, desired):
    with pytest.raises(AssertionError):
        assert_close(actual, desired)


def test_tolerances_add_and_are_relative_to_what_is_right():
    assert_close(101.0, 100.0, rtol=0.01)
    assert_close(100.15, 100.0, rtol=1e-3, atol=0.06)
    with pytest.raises(AssertionError):
        assert_close(100.15, 100.0, rtol=1e-3, atol=0.04)
    with pytest.raises(AssertionError):
        assert_close(1.0, 0.0, rtol=1e9)
