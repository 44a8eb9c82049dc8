"""Devices: where arrays live, and how to move them there.

The rest of the package spells every array function ``np.f(x)``. NumPy's own protocols (NEP 13
``__array_ufunc__``, NEP 18 ``__array_function__``, NEP 35 ``like=``) hand such a call to the library that
owns ``x``, so one line of mathematics serves NumPy and CuPy and costs NumPy nothing. What is left to this
file is what no protocol covers: choosing a device, and carrying arrays to it and back.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # a numpy.ndarray, or the array type of another device
DTypeLike = Any


@dataclass(frozen=True)
class Device:
    """One place where arrays live.

    Attributes
    ----------
    name : str
        The name `use_device` knows it by.
    array_type : type
        The class of its arrays.
    asarray : callable
        Carries a host array to this device (nothing is copied when it is there already).
    asnumpy : callable
        Carries an array of this device back to a `numpy.ndarray`.
    generator : callable
        Makes, from a 64-bit seed, a random generator with ``standard_normal`` and ``random`` that draws on
        this device.
    scatter_add : callable
        ``scatter_add(target, index, values)`` adds `values` into ``target[index]`` in place; where an index
        occurs twice both values are added.
    erf : callable
        The error function, elementwise, for which NumPy has no name.
    erfcx : callable
        ``exp(x^2) (1 - erf(x))``, elementwise: the tail of the error function, without its decay.
    """

    name: str
    array_type: type
    asarray: Callable[[Any], Array]
    asnumpy: Callable[[Array], np.ndarray]
    generator: Callable[[int], Any]
    scatter_add: Callable[[Array, Any, Array], None]
    erf: Callable[[Array], Array]
    erfcx: Callable[[Array], Array]


def _cpu() -> Device:
    return Device(
        name="cpu",
        array_type=np.ndarray,
        asarray=np.asarray,
        asnumpy=np.asarray,
        generator=lambda seed: np.random.Generator(np.random.Philox(seed)),
        scatter_add=np.add.at,
        erf=_scipy_erf,
        erfcx=_scipy_erfcx,
    )


def _scipy_erf(x: Array) -> Array:
    from scipy import special  # slow to import, and seldom needed

    return special.erf(x)


def _scipy_erfcx(x: Array) -> Array:
    from scipy import special

    return special.erfcx(x)


def _cuda() -> Device:
    try:
        import cupy
    except ImportError as error:
        raise RuntimeError(
            f"device 'cuda' needs CuPy, which cannot be imported ({error}); "
            "install scratchgen[cuda12] or scratchgen[cuda13], or use device 'cpu'"
        ) from error
    try:
        # CuPy imports on machines without a GPU, and can list a GPU it cannot use: only real work is proof.
        probe = cupy.ones((2, 2), dtype=cupy.float32)
        if float((probe @ probe + cupy.exp(probe - 1)).sum()) != 12.0:
            raise RuntimeError("a 2x2 product came out wrong")
    except Exception as error:
        raise RuntimeError(f"device 'cuda' failed its trial run: {error}") from error
    from cupyx.scipy.special import erf, erfcx

    return Device(
        name="cuda",
        array_type=cupy.ndarray,
        asarray=cupy.asarray,
        asnumpy=cupy.asnumpy,
        generator=lambda seed: cupy.random.Generator(cupy.random.Philox4x3210(seed)),
        scatter_add=cupy.add.at,
        erf=erf,
        erfcx=erfcx,
    )


makers: dict[str, Callable[[], Device]] = {"cpu": _cpu, "cuda": _cuda}
"""How each device is made, by name. The tests add a strict stand-in for CuPy here."""

_made: dict[str, Device] = {"cpu": _cpu()}
_current: Device = _made["cpu"]


def get_device(name: str) -> Device:
    """The device called `name`, made (and tried out) on its first use.

    Raises
    ------
    ValueError
        If there is no device of that name.
    RuntimeError
        If the device does not work here; the message says why.
    """
    if name not in makers:
        raise ValueError(f"device: got {name!r}, expected one of {', '.join(map(repr, makers))}")
    if name not in _made:
        _made[name] = makers[name]()
    return _made[name]


def use_device(name: str = "auto") -> Device:
    """Make `name` the device on which new arrays are placed, and return it.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        ``"auto"`` takes the GPU if one allocation, one elementwise operation and one matrix product work
        there; otherwise it takes the CPU, and where there is an NVIDIA device it says why in one line on
        standard error.

    Examples
    --------
    >>> use_device("cpu").name
    'cpu'
    """
    global _current
    if name == "auto":
        _current = get_device("cpu")
        if nvidia_device():
            try:
                _current = get_device("cuda")
            except RuntimeError as error:
                print(f"scratchgen: using the CPU: {' '.join(str(error).split())}", file=sys.stderr)
    elif name in makers:
        _current = get_device(name)
    else:
        raise ValueError(f"device: got {name!r}, expected one of 'auto', {', '.join(map(repr, makers))}")
    return _current


def nvidia_device() -> bool:
    """Whether the driver of an NVIDIA device is there: without one CuPy need not be tried, nor missed."""
    return os.path.exists("/dev/nvidiactl") or shutil.which("nvidia-smi") is not None


def current_device() -> Device:
    """The device that `use_device` chose last (at first the CPU)."""
    return _current


def device_of(x: Array) -> Device:
    """The device on which the array `x` lives; NumPy's own numbers, as its 0-d results are, on the host."""
    if isinstance(x, np.generic):
        return _made["cpu"]
    for device in _made.values():
        if isinstance(x, device.array_type):
            return device
    raise TypeError(f"x: got {type(x).__name__}, which is an array of no known device")


def asarray(x: Any, dtype: DTypeLike | None = None) -> Array:
    """`x` as a raw array on the current device.

    Arrays keep their dtype; Python floats, and lists of them, become float32 (ask for float64 by `dtype`).

    Parameters
    ----------
    x : array, Tensor, number or nested list
        An array of another device is copied to this one.
    dtype : data type, optional

    Raises
    ------
    TypeError
        If `x` holds anything but numbers, or is an array of a library that is no device.

    Examples
    --------
    >>> asarray([0.5, 1.5]).dtype, asarray([1, 2]).dtype
    (dtype('float32'), dtype('int64'))
    """
    x = raw(x)
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
        if x.dtype == np.float64:
            x = x.astype(np.float32 if dtype is None else dtype)
    if isinstance(x, np.ndarray | np.generic):
        if x.dtype.kind not in "biufc":
            raise TypeError(f"x: got an array of {x.dtype}, expected numbers")
        return _current.asarray(np.asarray(x, dtype))
    home = device_of(x)
    if dtype is not None and x.dtype != dtype:
        x = x.astype(dtype)
    return x if home is _current else _current.asarray(home.asnumpy(x))


def asnumpy(x: Any) -> np.ndarray:
    """`x` (an array of any device, a Tensor, a number or a list) as a `numpy.ndarray` on the host."""
    x = raw(x)
    if isinstance(x, np.ndarray) or not hasattr(x, "dtype") or isinstance(x, np.generic):
        return np.asarray(x)
    return device_of(x).asnumpy(x)


def scatter_add(target: Array, index: Any, values: Array) -> None:
    """``target[index] += values`` in place, counting every occurrence of a repeated index."""
    device_of(target).scatter_add(target, index, values)


def erf(x: Array) -> Array:
    """The error function, elementwise: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return device_of(x).erf(x)


def erfcx(x: Array) -> Array:
    """The scaled complementary error function, elementwise: ``exp(x^2) (1 - erf(x))``."""
    return device_of(x).erfcx(x)


def raw(x: Any) -> Any:
    """A Tensor's array; anything else as it is."""
    # Known by this attribute, since this floor lies below Tensor and may not import it.
    return x.data if hasattr(x, "requires_grad") else x
