"""The guards of public functions: what they let through, what they refuse, and in which words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from strict.traffic import host_synchronisations
from tools import to_device

import scratchgen as sg
from scratchgen.backend import checks


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match="^" + message)


def test_whole_numbers_come_back_as_int() -> None:
    accepted = checks.whole("n", np.int64(3))
    assert accepted == 3
    assert type(accepted) is int
    assert checks.whole("n", 0, 0) == 0
    assert checks.whole("n", 256, 2, 256) == 256


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, None, math.nan, np.array([1])])
def test_what_is_no_positive_whole_number_is_refused(value: Any) -> None:
    with refused(ValueError, "width: got .*, expected a positive whole number$"):
        checks.whole("width", value)


def test_limits_of_whole_numbers_stand_in_the_message() -> None:
    with refused(ValueError, "n: got -1, expected a whole number, 0 or more$"):
        checks.whole("n", -1, 0)
    with refused(ValueError, "levels: got 257, expected a whole number from 2 to 256$"):
        checks.whole("levels", 257, 2, 256)
    with refused(ValueError, "levels: got 1, expected a whole number from 2 to 256$"):
        checks.whole("levels", 1, 2, 256)


def test_lengths() -> None:
    assert checks.sizes("shape", [1, np.int64(28)]) == (1, 28)
    assert checks.sizes("input_dim", 784) == (784,)
    for value in ((), (1, 0), (1, 2.0), ("a",)):
        with refused(
            ValueError, r"shape: got \(.*\), expected positive whole numbers, such as \(1, 28, 28\)$"
        ):
            checks.sizes("shape", value)
    with refused(ValueError, "input_dim: got 0, expected a positive whole number$"):
        checks.sizes("input_dim", 0)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.999], [-1e-9, 1, math.nan, math.inf]),
        ("(0, 1]", [1e-300, 1], [0, 1.001, math.nan]),
        ("(0, inf)", [1e-9, 1e300], [0, math.inf, -1, math.nan]),
        ("[0, inf]", [0, math.inf], [-1, math.nan]),
        ("(-inf, inf)", [-1e300, 0, 5], [math.inf, -math.inf, math.nan]),
    ],
)
def test_a_number_is_in_its_interval(interval: str, inside: list[float], outside: list[float]) -> None:
    for value in inside:
        accepted = checks.number("p", np.float32(value) if value == 1 else value, interval)
        assert accepted == value
        assert type(accepted) is float
    for value in outside:
        with refused(ValueError, r"p: got .*, expected a number in .-?\w+, -?\w+.$"):
            checks.number("p", value, interval)


@pytest.mark.parametrize("value", ["0.5", None, True, 1j, np.array(0.5), [0.5]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with refused(ValueError, r"p: got .*, expected a number in \[0, 1\]$"):
        checks.number("p", value, "[0, 1]")


def test_one_of_several() -> None:
    assert checks.one_of("mode", "b", ("a", "b")) == "b"
    assert checks.one_of("mode", None, ("a", None)) is None
    for value in ("c", np.array(["a", "b"]), 1, None):
        with refused(ValueError, "mode: got .*, expected one of 'a', 'b'$"):
            checks.one_of("mode", value, iter(("a", "b")))
    with refused(ValueError, "order: got True"):
        checks.one_of("order", True, (1, 2))


def test_an_instance_of_a_class() -> None:
    layer = sg.nn.ReLU()
    assert checks.instance("encoder", layer, sg.nn.Module) is layer
    with refused(TypeError, "encoder: got int, expected Module$"):
        checks.instance("encoder", 3, sg.nn.Module)
    with refused(TypeError, "s: got str, expected list or tuple, such as shape$"):
        checks.instance("s", "x", (list, tuple), "such as shape")


def test_arrays_and_tensors_of_floats() -> None:
    x = to_device(np.zeros(3, np.float32))
    assert checks.floating("x", x) is x
    tensor = sg.Tensor(x)
    assert checks.array("x", tensor) is tensor
    with refused(TypeError, "x: got list, expected an array or Tensor"):
        checks.floating("x", [1.0])
    with refused(TypeError, "x: got an array of int64, expected float32 or float64"):
        checks.floating("x", to_device(np.arange(3)))


@pytest.mark.parametrize(
    ("given", "expected", "fits"),
    [
        ((2, 3), (2, 3), True),
        ((2, 3), ("batch", 3), True),
        ((2, 3), ("batch", 4), False),
        ((2, 3, 5), ("batch", 3), False),
        ((2,), ("batch", 3), False),
        ((2, 3, 5, 7), ("batch", 3, ...), True),
        ((2, 3), ("batch", 3, ...), True),
        ((2,), ("batch", 3, ...), False),
        ((2, 3, 5), (..., 5), True),
        ((5,), (..., 5), True),
        ((4,), (..., 5), False),
        ((2, 3, 5), (2, ..., 5), True),
        ((5,), (2, ..., 5), False),
        ((2,), (2, ..., 2), False),
        ((), (), True),
        ((), ("n",), False),
    ],
)
def test_shapes(given: tuple[int, ...], expected: Any, fits: bool) -> None:
    x = to_device(np.zeros(given, np.float32))
    if fits:
        assert checks.shape("x", x, expected) is x
    else:
        with refused(ValueError, r"x: got shape \(.*\), expected \(.*\)$"):
            checks.shape("x", x, expected)


def test_a_shape_is_printed_with_its_words() -> None:
    x = to_device(np.zeros((2, 3)))
    with refused(ValueError, r"x: got shape \(2, 3\), expected \(batch, 1, \.\.\.\), as images have$"):
        checks.shape("x", x, ("batch", 1, ...), "as images have")
    with refused(ValueError, r"t: got shape \(2, 3\), expected \(batch,\)$"):
        checks.shape("t", x, ("batch",))


@pytest.mark.host_only
def test_finite_numbers() -> None:
    x = np.zeros((4, 2, 2), np.float32)
    assert checks.finite("x", x) is x
    huge = np.full((2, 2), 3e38, np.float32)  # its squares overflow
    assert checks.finite("x", huge) is huge
    x[2, 1, 0], x[3, 0, 0] = np.nan, -np.inf
    with refused(ValueError, r"x: got 2 NaN or infinite numbers, the first at \(2, 1, 0\)$"):
        checks.finite("x", x)
    with refused(ValueError, "x: got 1 NaN or infinite numbers$"):
        checks.finite("x", sg.Tensor(np.array(np.nan)))


@pytest.mark.host_only
def test_numbers_within_limits() -> None:
    x = np.array([0.0, 1.0])
    assert checks.within("x", x, 0, 1) is x
    assert checks.within("x", x[:0], 0, 1).size == 0
    assert checks.within("t", 3, 1, 3) == 3
    with refused(ValueError, "t: got numbers from 0 to 0, expected 1 to 3$"):
        checks.within("t", 0, 1, 3)
    for value in (-0.5, 1.5):
        with refused(ValueError, "x: got numbers from .* to .*, expected 0 to 1; divide bytes by 255$"):
            checks.within("x", np.array([0.5, value]), 0, 1, "divide bytes by 255")
    with refused(ValueError, "x: got 1 NaN or infinite numbers"):
        checks.within("x", np.array([0.5, np.nan]), 0, 1)


def test_a_batch_of_examples() -> None:
    x = to_device(np.zeros((2, 3), np.float32))
    assert checks.batch("x", x) is x
    assert checks.batch("x", x, (3,)) is x
    with refused(TypeError, "x: got an array of uint8, expected float32 or float64"):
        checks.batch("x", to_device(np.zeros((2, 3), np.uint8)))
    with refused(ValueError, r"x: got shape \(2,\), expected \(batch, features, \.\.\.\)$"):
        checks.batch("x", x[:, 0])
    with refused(ValueError, r"x0: got shape \(2, 3\), expected \(batch, 1, 4\)$"):
        checks.batch("x0", x, (1, 4))
    with refused(ValueError, r"x: got shape \(0, 3\), expected at least one example$"):
        checks.batch("x", x[:0])


@pytest.mark.host_only
def test_a_batch_holds_no_nan() -> None:
    with refused(ValueError, "x: got 1 NaN or infinite"):
        checks.batch("x", np.array([[1.0, np.nan]]))


def test_examples_are_fetched_to_the_host() -> None:
    x = checks.examples("images", to_device(np.ones((2, 1, 3))), (1, 3))
    assert isinstance(x, np.ndarray)
    assert checks.examples("points", [[1.0, 2.0]]).shape == (1, 2)
    assert len(checks.examples("points", np.zeros((0, 2)))) == 0
    with refused(ValueError, r"images: got shape \(2, 1, 3\), expected \(n, 3, 3\)$"):
        checks.examples("images", x, (3, 3))
    with refused(ValueError, r"points: got shape \(2,\), expected \(n, features, \.\.\.\)$"):
        checks.examples("points", x[:, 0, 0])
    with refused(ValueError, "points: got 2, expected 3 or more$"):
        checks.examples("points", x, least=3)
    with refused(TypeError, "points: got an array of int64, expected float32 or float64"):
        checks.examples("points", [[1, 2]])
    with refused(ValueError, "points: got 1 NaN or infinite numbers"):
        checks.examples("points", [[1.0, np.inf]])


def test_indices_are_whole_numbers() -> None:
    x = to_device(np.array([0, 2]))
    assert checks.indices("i", x, 3) is x
    with refused(TypeError, "i: got an array of float32, expected whole numbers$"):
        checks.indices("i", to_device(np.zeros(2, np.float32)), 3)
    with refused(TypeError, "i: got an array of bool, expected whole numbers$"):
        checks.indices("i", x > 1, 3)
    with refused(TypeError, "i: got list"):
        checks.indices("i", [0], 3)


@pytest.mark.host_only
def test_indices_are_in_range() -> None:
    assert checks.indices("i", np.array([], np.int64), 3).size == 0
    for value in (-1, 3):
        with refused(IndexError, "i: got numbers from .* to .*, expected 0 to 2$"):
            checks.indices("i", np.array([1, value]), 3)


def test_a_whole_number_for_each_example() -> None:
    assert sg.asnumpy(checks.one_each("t", np.array(3), 2)).tolist() == [3, 3]
    assert sg.asnumpy(checks.one_each("t", np.uint8(3), 2)).tolist() == [3, 3]
    given = to_device(np.array([3, 4]))
    assert checks.one_each("t", sg.Tensor(given), 2) is given
    for bad in (1.0, None, True, "1", [1.5, 2.0], to_device(np.zeros(2))):
        with refused(TypeError, "t: got an array of .*, expected whole numbers$"):
            checks.one_each("t", bad, 2)
    with refused(ValueError, r"t: got shape \(2, 1\), expected \(2,\), one for each example$"):
        checks.one_each("t", given[:, None], 2)


def test_labels_of_a_batch() -> None:
    assert checks.labels(None, 2, None) is None
    assert checks.labels(None, 2, 10) is None
    assert sg.asnumpy(checks.labels(7, 2, 10)).tolist() == [7, 7]
    assert sg.asnumpy(checks.labels([7, 1], 2, 10)).tolist() == [7, 1]
    assert checks.labels(None, 2, None, needed=True) is None
    with refused(ValueError, "labels: got none, expected one of 10 classes for each example$"):
        checks.labels(None, 2, 10, needed=True)
    given = to_device(np.array([3, 4]))
    assert checks.labels(given, 2, 10) is given
    with refused(ValueError, "labels: got some, expected none: the model was made without classes$"):
        checks.labels(given, 2, None)
    with refused(ValueError, r"labels: got shape \(2,\), expected \(3,\), one for each example$"):
        checks.labels(given, 3, 10)
    with refused(TypeError, "labels: got an array of float64, expected whole numbers$"):
        checks.labels(1.5, 2, 10)


@pytest.mark.host_only
def test_a_label_names_a_class() -> None:
    with refused(IndexError, "labels: got numbers from 10 to 10, expected 0 to 9$"):
        checks.labels(10, 2, 10)


def test_a_device_is_not_made_to_wait() -> None:
    x = to_device(np.full((2, 3), np.nan, np.float32))
    i = to_device(np.array([5, 6]))
    if isinstance(x, np.ndarray):
        pytest.skip("on the host values are looked at")
    with host_synchronisations() as traffic:
        checks.batch("x", x)
        checks.within("x", x, 0, 1)
        checks.indices("i", i, 3)
        checks.labels(i, 2, 3)
    assert traffic.synchronisations == 0
