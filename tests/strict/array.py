"""StrictArray: what ``cupy.ndarray`` is, without a GPU and without mercy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from scipy import special

from scratchgen.backend.device import Device

from . import functions, indexing
from .memory import Memory, upload, wrap
from .traffic import synchronise, uploaded

CUPY = functions.CUPY


class Flags:
    """The flags of an array that CuPy knows."""

    def __init__(self, host: np.ndarray) -> None:
        self.c_contiguous = host.flags.c_contiguous
        self.f_contiguous = host.flags.f_contiguous
        self.owndata = host.base is None
        self.fnc, self.forc = host.flags.fnc, host.flags.forc

    def __getitem__(self, name: str) -> bool:
        return {
            "C_CONTIGUOUS": self.c_contiguous,
            "F_CONTIGUOUS": self.f_contiguous,
            "OWNDATA": self.owndata,
        }[name]


class StrictArray(Memory):
    """An array on the stand-in's device; made by `upload` and by operations on others.

    It has the attributes, methods and operators of ``cupy.ndarray`` and no more. It refuses to become a NumPy
    array by itself or to be mixed with one, counts when the host waits for its values, and returns 0-d arrays
    where NumPy returns scalars.
    """

    __slots__ = ()
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("StrictArray: use strict.upload(x), or sg.asarray(x) on that device")

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return functions.array_function(func, types, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return functions.array_ufunc(ufunc, method, inputs, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name in CUPY.methods or name in CUPY.attributes:
            raise AttributeError(f"cupy.ndarray has .{name}, but the stand-in does not model it")
        raise AttributeError(f"cupy.ndarray has no attribute {name!r}")

    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: Flags(self._host))
    T = property(lambda self: wrap(self._host.T))
    mT = property(lambda self: wrap(self._host.mT))
    real = property(lambda self: wrap(self._host.real))
    imag = property(lambda self: wrap(self._host.imag))
    base = property(lambda self: wrap(self._host.base) if isinstance(self._host.base, np.ndarray) else None)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._host.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self._host.shape = shape

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> np.ndarray:
        """A copy on the host."""
        synchronise()
        if out is None:
            return np.array(self._host, order=order, copy=True)
        if out.shape != self.shape or out.dtype != self.dtype:
            raise ValueError(
                f"out: got {out.dtype}{list(out.shape)}, expected {self.dtype}{list(self.shape)}"
            )
        out[...] = self._host
        return out

    def set(self, arr: np.ndarray, stream: Any = None) -> None:
        """Copy a host array of the same shape and dtype into this one."""
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.shape != self.shape or arr.dtype != self.dtype:
            raise ValueError(
                f"arr: got {arr.dtype}{list(arr.shape)}, expected {self.dtype}{list(self.shape)}"
            )
        uploaded()
        self._host[...] = arr

    def fill(self, value: Any) -> None:
        indexing.set_item(self._host, Ellipsis, value)

    def take(self, indices: Any, axis: int | None = None, out: Any = None) -> Any:
        return functions.take(self, indices, axis, out)

    def scatter_add(self, slices: Any, value: Any) -> None:
        np.add.at(self, slices, value)

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def tobytes(self, order: str = "C") -> bytes:
        return self.get().tobytes(order)

    def __getitem__(self, key: Any) -> Any:
        return indexing.get_item(self._host, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.set_item(self._host, key, value)

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, specification: str) -> str:
        return format(self.get(), specification)

    def __copy__(self) -> Any:
        return wrap(self._host.copy())

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return upload, (self.get(),)


MODELLED_METHODS = (
    *("all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip", "compress"),
    *("conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min"),
    *("nonzero", "partition", "prod", "put", "ravel", "repeat", "reshape", "round", "searchsorted", "sort"),
    *("squeeze", "std", "sum", "swapaxes", "trace", "transpose", "var", "view"),
)
for _name in MODELLED_METHODS:
    setattr(StrictArray, _name, functions.method(_name))


def _defers_to(other: Any) -> bool:
    """Whether the other operand wants to compute the result itself, as a Tensor does."""
    return getattr(other, "__array_ufunc__", NotImplemented) is None


def _binary(ufunc: np.ufunc, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def operation(self: Any, other: Any) -> Any:
        if _defers_to(other):
            return NotImplemented
        return ufunc(other, self) if reflected else ufunc(self, other)

    return operation


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: ufunc(self, other, out=self)


_ARITHMETIC = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
_COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
for _name, _ufunc in {**_ARITHMETIC, "matmul": np.matmul, "divmod": np.divmod}.items():
    setattr(StrictArray, f"__{_name}__", _binary(_ufunc))
    setattr(StrictArray, f"__r{_name}__", _binary(_ufunc, reflected=True))
for _name, _ufunc in _ARITHMETIC.items():
    setattr(StrictArray, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in _COMPARISONS.items():
    setattr(StrictArray, f"__{_name}__", _binary(_ufunc))
for _name, _ufunc in {
    "neg": np.negative,
    "pos": np.positive,
    "abs": np.absolute,
    "invert": np.invert,
}.items():
    setattr(StrictArray, f"__{_name}__", lambda self, ufunc=_ufunc: ufunc(self))


class StrictGenerator:
    """The two methods that scratchgen uses of ``cupy.random.Generator``."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(seed))

    def standard_normal(self, size: Any = None, dtype: Any = np.float64) -> Any:
        return wrap(np.asarray(self._generator.standard_normal(size, dtype=dtype)))

    def random(self, size: Any = None, dtype: Any = np.float64) -> Any:
        return wrap(np.asarray(self._generator.random(size, dtype=dtype)))


def strict_device() -> Device:
    """The device of the stand-in, for ``scratchgen.backend.device.makers``."""
    return Device(
        name="strict",
        array_type=StrictArray,
        asarray=upload,
        asnumpy=lambda x: x.get(),
        generator=StrictGenerator,
        scatter_add=np.add.at,
        erf=lambda x: wrap(special.erf(x._host)),
        erfcx=lambda x: wrap(special.erfcx(x._host)),
    )
