"""What public functions ask of their arguments, in one voice: ``name: got ..., expected ...``.

A check stands at the public door, once; what lies behind it trusts its callers. Each takes the argument's
name first, so that the message can say it, and gives back what it accepted::

    self.latent_dim = checks.whole("latent_dim", latent_dim)
    self.beta = checks.number("beta", beta, "[0, inf)")

What is of a wrong kind or dtype raises a TypeError, what has a wrong value or shape a ValueError, an index
that points nowhere an IndexError; each names what was given and what is accepted. True and False are no
numbers.

Of arrays on a GPU only dtype and shape are looked at: for their values the host would have to wait.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from types import EllipsisType
from typing import Any

import numpy as np

from .device import Array, asarray, asnumpy, raw


def whole(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """`value` as an int, if it is a whole number from `least` to `most`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if is_whole and least <= value and (most is None or value <= most):
        return int(value)
    if most is not None:
        expected = f"a whole number from {least} to {most}"
    else:
        expected = "a positive whole number" if least == 1 else f"a whole number, {least} or more"
    raise ValueError(f"{name}: got {value!r}, expected {expected}")


def sizes(name: str, value: Any) -> tuple[int, ...]:
    """One or several lengths, such as an image's ``(1, 28, 28)``, as a tuple."""
    if isinstance(value, tuple | list):
        if value and all(isinstance(n, int | np.integer) and n > 0 for n in value):
            return tuple(int(n) for n in value)
        raise ValueError(f"{name}: got {value!r}, expected positive whole numbers, such as (1, 28, 28)")
    return (whole(name, value),)


def number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """`value` as a float, if it is a number in an interval, written as in mathematics: ``"[0, 1)"``."""
    closed_below, low, high, closed_above = _ends(interval)
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        above = low <= value if closed_below else low < value
        below = value <= high if closed_above else value < high
        if above and below:
            return float(value)
    raise ValueError(f"{name}: got {value!r}, expected a number in {interval}")


@cache
def _ends(interval: str) -> tuple[bool, float, float, bool]:
    low, high = interval[1:-1].split(",")
    return interval[0] == "[", float(low), float(high), interval[-1] == "]"


def one_of(name: str, value: Any, known: Iterable[Any]) -> Any:
    """`value`, if it is among the `known` ones."""
    known = tuple(known)
    if any(type(value) is type(k) and value == k for k in known):
        return value
    raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(map(repr, known))}")


def instance(name: str, value: Any, kind: Any, hint: str = "") -> Any:
    """`value`, if it is of a `kind`, a class or several; the `hint` says more of what is wanted."""
    if isinstance(value, kind):
        return value
    kinds = kind if isinstance(kind, tuple) else (kind,)
    expected = " or ".join(k.__name__ for k in kinds)
    raise TypeError(f"{name}: got {type(value).__name__}, expected {expected}{hint and f', {hint}'}")


def array(name: str, x: Any) -> Any:
    """`x`, if it is an array or a Tensor."""
    if hasattr(x, "dtype"):
        return x
    raise TypeError(f"{name}: got {type(x).__name__}, expected an array or Tensor (see sg.asarray)")


def floating(name: str, x: Any) -> Any:
    """`x`, if it is an array or a Tensor of floating-point numbers."""
    dtype = getattr(x, "dtype", None)
    if dtype is not None and dtype.kind == "f":
        return x
    raise TypeError(
        f"{name}: got an array of {array(name, x).dtype}, expected float32 or float64 (see sg.asarray)"
    )


def shape(name: str, x: Any, expected: tuple[int | str | EllipsisType, ...], reason: str = "") -> Any:
    """`x`, if its shape is the expected one.

    Parameters
    ----------
    name : str
        Of the argument, or of the function that made `x`.
    x : array or Tensor
    expected : tuple of int, str and Ellipsis
        A word stands for any length, and one Ellipsis for any number of axes: ``("batch", 3, ...)``.
    reason : str
        Put behind the message.

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    given = getattr(x, "shape", None)
    if given is not None and (given == expected or _fits(given, expected)):
        return x
    given = tuple(array(name, x).shape)
    words = ", ".join("..." if length is ... else str(length) for length in expected)
    words = f"({words},)" if len(expected) == 1 else f"({words})"
    raise ValueError(f"{name}: got shape {given}, expected {words}{reason and f', {reason}'}")


def _fits(given: tuple[int, ...], expected: tuple[Any, ...]) -> bool:
    if ... in expected:  # it stands for all the axes that are left over
        gap = expected.index(...)
        behind = len(given) - (len(expected) - gap - 1)
        expected = expected[:gap] + given[gap:behind] + expected[gap + 1 :]
    if len(given) != len(expected):
        return False
    for length, wanted in zip(given, expected, strict=True):  # a loop: this runs in every training step
        if length != wanted and not isinstance(wanted, str):
            return False
    return True


def divisible(name: str, x: Any, factor: int) -> Any:
    """Images `x`, (..., height, width), if a factor divides height and width."""
    height, width = x.shape[-2:]
    if height % factor or width % factor:
        raise ValueError(
            f"{name}: got {height} x {width} pixels, expected a height and a width divisible by {factor}"
        )
    return x


def finite(name: str, x: Any) -> Any:
    """`x`, if it holds no NaN and no infinity (of arrays on a GPU nothing is known)."""
    values = _on_host(x)
    if values is not None and not math.isfinite(np.vdot(values, values)):  # one fast pass
        bad = ~np.isfinite(values)
        if bad.any():  # and not only squares too large
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            where = f", the first at {first}" if first else ""
            raise ValueError(f"{name}: got {int(bad.sum())} NaN or infinite numbers{where}")
    return x


def within(name: str, x: Any, low: float, high: float, cure: str = "") -> Any:
    """`x`, if all its numbers are in [low, high], NaN being in none (of arrays on a GPU nothing is known)."""
    values = _on_host(x)
    if values is not None and values.size:
        least, most = values.min(), values.max()  # NaN if there is one
        if not (least >= low and most <= high):
            finite(name, x)
            raise ValueError(
                f"{name}: got numbers from {least:g} to {most:g}, "
                f"expected {low:g} to {high:g}{cure and f'; {cure}'}"
            )
    return x


def batch(name: str, x: Any, example: tuple[int, ...] | None = None) -> Any:
    """`x`, if it is a batch of at least one example, of finite floating-point numbers.

    Parameters
    ----------
    name : str
    x : array or Tensor
    example : tuple of int, optional
        The shape of one example; without it any of at least one axis will do.
    """
    floating(name, x)
    shape(name, x, ("batch", "features", ...) if example is None else ("batch", *example))
    if not x.size:
        raise ValueError(f"{name}: got shape {tuple(x.shape)}, expected at least one example")
    return finite(name, x)


def examples(name: str, x: Any, example: tuple[int, ...] | None = None, least: int = 0) -> np.ndarray:
    """Points or images as an array (n, ...) of finite floating-point numbers, fetched to the host.

    Parameters
    ----------
    name : str
    x : array, Tensor or list
    example : tuple of int, optional
        The shape of one.
    least : int
        How many there have to be.
    """
    x = floating(name, asnumpy(x))
    shape(name, x, ("n", "features", ...) if example is None else ("n", *example))
    if len(x) < least:
        raise ValueError(f"{name}: got {len(x)}, expected {least} or more")
    return finite(name, x)


def whole_numbers(name: str, x: Any) -> Any:
    """`x`, if it is an array of whole numbers."""
    if array(name, x).dtype.kind in "iu":
        return x
    raise TypeError(f"{name}: got an array of {x.dtype}, expected whole numbers")


def indices(name: str, x: Any, count: int) -> Any:
    """`x`, if it holds whole numbers in ``0 .. count - 1`` (on a GPU: whole numbers).

    Raises
    ------
    TypeError
        If they are no whole numbers.
    IndexError
        If one lies outside; below 0 it would count from the end.
    """
    values = _on_host(whole_numbers(name, x))
    if values is not None and values.size:
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= count:
            raise IndexError(f"{name}: got numbers from {low} to {high}, expected 0 to {count - 1}")
    return x


def one_each(name: str, given: Any, batch: int) -> Array:
    """Whole numbers, one for each example of a batch, as a raw array (batch,) on the device.

    Parameters
    ----------
    name : str
    given : array of int, list of int, or int
        A single number serves the whole batch.
    batch : int
    """
    given = raw(given) if hasattr(given, "dtype") else np.asarray(given)
    whole_numbers(name, given)
    given = asarray(np.full(batch, given) if given.ndim == 0 else given)
    return shape(name, given, (batch,), "one for each example")


def labels(given: Any, batch: int, classes: int | None, needed: bool = False) -> Array | None:
    """The labels of a batch as a raw array (batch,) on the device, or None if none were given.

    Parameters
    ----------
    given : array of int, list of int, int or None
        A single number serves the whole batch.
    batch : int
    classes : int or None
        Of the model; None if it was made without.
    needed : bool
        Whether a model with classes may not do without.

    Raises
    ------
    TypeError, ValueError, IndexError
        If they are no whole numbers, not one for each example, or name no class; or the model has none.
    """
    if given is None:
        if needed and classes is not None:
            raise ValueError(f"labels: got none, expected one of {classes} classes for each example")
        return None
    if classes is None:
        raise ValueError("labels: got some, expected none: the model was made without classes")
    return indices("labels", one_each("labels", given, batch), classes)


def _on_host(x: Any) -> np.ndarray | None:
    """The numbers of `x` as an array, if no device has to be waited for; else None."""
    values = raw(x)
    return np.asarray(values) if isinstance(values, np.ndarray | np.generic | int | float) else None
