"""Tensor, the variable of the engine.

A Tensor is a variable; a raw array is a constant. An operation on a Tensor gives a Tensor that remembers its
`origin`: the operation, its arguments and its static keywords (`primitive.py` makes such operations).
`backward.py` walks the origins back. `methods.py` attaches operators and methods, once the operations exist.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Array, asarray, asnumpy
from ..backend.context import held

Primitive = Any  # a function that `primitive` made
Origin = tuple[Primitive, tuple[Any, ...], dict[str, Any]]


class _Recording(threading.local):
    """Whether primitives record their origins; each thread has its own answer."""

    enabled = True


recording = _Recording()


def recording_is(enabled: bool = True) -> AbstractContextManager[None]:
    """Within this context (and this thread) operations record their origins, or do not."""
    return held(recording, "enabled", enabled)


def no_grad() -> AbstractContextManager[None]:
    """Within this context (and this thread) operations record nothing, so nothing can be differentiated.

    Examples
    --------
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    return recording_is(False)


class Tensor:
    """A variable: an array, with the memory of how it was computed.

    Parameters
    ----------
    data : array
        The value, a raw array of NumPy or of the device.
    requires_grad : bool
        Whether derivatives with respect to this Tensor may be asked for.

    Attributes
    ----------
    data : array
        The raw value, without history.
    grad : array or None
        For a leaf, the gradient that `backward` has accumulated: raw, of the shape and dtype of `data`.
    requires_grad : bool
    origin : tuple or None
        ``(primitive, args, static)`` of the operation that made this Tensor; None for a leaf.
    birth : int
        When the result was made, counted down over all operations, so that younger is less; 0 for a leaf.
    """

    # Defaults of every Tensor; an operation sets only what differs, which is quicker than setting all.
    grad: Array | None = None
    requires_grad: bool = False
    origin: Origin | None = None
    birth: int = 0

    __hash__ = object.__hash__  # `==` compares elements, but a Tensor is a dictionary key by identity

    def __init__(self, data: Array, requires_grad: bool = False) -> None:
        data = raw(data)
        if isinstance(data, np.generic) or not hasattr(data, "dtype"):
            data = asarray(data)
        if not data.dtype.isnative:  # bytes in another machine's order
            data = data.astype(data.dtype.newbyteorder("="))
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(
                f"requires_grad: a Tensor of {data.dtype} has no derivatives; make it float32 or float64"
            )
        self.data = data
        self.requires_grad = requires_grad

    shape = property(attrgetter("data.shape"), doc="The length of each axis.")
    dtype = property(attrgetter("data.dtype"), doc="The data type, float32 unless float64 was asked for.")
    ndim = property(attrgetter("data.ndim"), doc="The number of axes.")
    size = property(attrgetter("data.size"), doc="The number of elements.")

    def item(self) -> float:
        """The one element of this Tensor as a Python number (on a GPU this waits for the device)."""
        return self.data.item()

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array on the host, without history."""
        return asnumpy(self.data)

    def detach(self) -> Tensor:
        """A Tensor of the same value (the same memory) without history: a constant."""
        return Tensor(self.data)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "in-place assignment to a Tensor would falsify derivatives that need the old value; build the "
            "new value with sg.where, sg.cat or sg.stack instead, or, where no gradient waits for the old "
            "one, assign to x.data[...]"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(
            "a Tensor is not converted to an array by accident: use x.data, x.numpy() or sg.asnumpy(x)"
        )

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __repr__(self) -> str:
        value = np.array2string(self.numpy(), precision=4, threshold=20, separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float32 else f", {self.dtype}"
        history = f", from {self.origin[0].__name__}" if self.origin else ""
        leaf = ", requires_grad" if self.requires_grad and not self.origin else ""
        return f"Tensor({value}, shape={self.shape}{dtype}{leaf}{history})"

    if TYPE_CHECKING:  # methods.py attaches these once the primitives exist

        def __add__(self, other: Any) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __add__
        __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __add__

        def backward(self, cotangent: Any = None) -> None: ...
        def __neg__(self) -> Tensor: ...

        exp = expm1 = log = log1p = sqrt = square = abs = tanh = sigmoid = sin = cos = __neg__
        erf = relu = __abs__ = __neg__

        def __getitem__(self, index: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Array: ...

        __le__ = __gt__ = __ge__ = __lt__

        def sum(self, axis: Any = None, keepdims: bool = False, **pytorch: Any) -> Tensor: ...

        mean = max = min = prod = logsumexp = sum

        def var(
            self, axis: Any = None, keepdims: bool = False, correction: int = 0, **pytorch: Any
        ) -> Tensor: ...

        std = var

        def norm(self, p: float = 2, axis: Any = None, keepdims: bool = False, **pytorch: Any) -> Tensor: ...
        def argmax(self, axis: Any = None, keepdims: bool = False, **pytorch: Any) -> Array: ...
        def cumsum(self, axis: int) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...

        permute = view = reshape

        def squeeze(self, dim: Any = None) -> Tensor: ...
        def unsqueeze(self, dim: int) -> Tensor: ...

        def transpose(self, *axes: Any) -> Tensor: ...
        def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
        def astype(self, dtype: Any) -> Tensor: ...
        def clip(self, low: float | None = None, high: float | None = None) -> Tensor: ...

        @property
        def T(self) -> Tensor: ...


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A Tensor on the current device, made from an array, a number, nested lists or another Tensor.

    Parameters
    ----------
    data : array_like
        Floating-point arrays keep their dtype; Python floats become float32.
    requires_grad : bool
        Whether derivatives with respect to it may be asked for.
    dtype : data type, optional
        float32 or float64, to convert `data`.

    Examples
    --------
    >>> tensor([1.0, 2.0], requires_grad=True)
    Tensor([1., 2.], shape=(2,), requires_grad)
    """
    return Tensor(asarray(data, dtype), requires_grad)


def raw(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x
