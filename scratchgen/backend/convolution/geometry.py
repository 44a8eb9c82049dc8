"""Shapes of convolutions: what fits, what comes out, and the words said when it does not fit.

Along one axis, output position ``o`` and tap ``i`` of the kernel meet at input position

    o * stride + i * dilation - padding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np

from ..device import Array

Pair = tuple[int, int]
Size = int | Sequence[int]
Function = TypeVar("Function", bound=Callable[..., Any])


def once_per_shape(function: Function) -> Function:
    """Work out what follows from shapes once for each: a network meets the same ones in every step.

    Lists among the arguments cannot be looked up; then it is worked out again.
    """
    remembered = lru_cache(maxsize=1024, typed=True)(function)

    @wraps(function)
    def found(*args: Any) -> Any:
        try:
            return remembered(*args)
        except TypeError:
            return function(*args)

    return found  # type: ignore[return-value]


@dataclass(frozen=True)
class Geometry:
    """Kernel, stride, padding and dilation, each (vertical, horizontal), and the number of groups."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int

    @classmethod
    def of(cls, kernel: Size, stride: Size, padding: Size, dilation: Size, groups: int) -> Geometry:
        """The geometry, from numbers or pairs of numbers.

        Raises
        ------
        ValueError
            If a kernel size, a stride, a dilation or `groups` is below 1, or a padding below 0.
        """
        if not isinstance(groups, int | np.integer) or groups < 1:
            raise ValueError(f"groups: got {groups!r}, expected an integer of at least 1")
        return cls(
            pair("kernel_size", kernel, 1),
            pair("stride", stride, 1),
            pair("padding", padding, 0),
            pair("dilation", dilation, 1),
            groups,
        )

    @cached_property
    def extent(self) -> Pair:
        """How many input positions the kernel spans: dilation (kernel - 1) + 1."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def output_size(self, input_size: Sequence[int]) -> Pair:
        """Height and width of the convolution of an input of that height and width.

        ::

            floor((h + 2 padding - dilation (kernel - 1) - 1) / stride) + 1            (convolution-size)

        Raises
        ------
        ValueError
            If the kernel is larger than the padded input.
        """
        padded = [n + 2 * p for n, p in zip(input_size, self.padding, strict=True)]
        if any(e > n for e, n in zip(self.extent, padded, strict=True)):
            raise ValueError(
                f"kernel_size: {self.kernel} with dilation {self.dilation} spans {self.extent}, larger than "
                f"the input of {tuple(input_size)} with padding {self.padding}: at most {tuple(padded)} fits"
            )
        (h, w), (eh, ew), (sh, sw) = padded, self.extent, self.stride
        return (h - eh) // sh + 1, (w - ew) // sw + 1  # (convolution-size)

    def transposed_size(self, input_size: Sequence[int], output_padding: Size = 0) -> Pair:
        """Height and width of the transposed convolution; `output_padding` chooses among those that fit.

        ::

            (h - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding    (transposed-size)

        Raises
        ------
        ValueError
            If `output_padding` is not below the stride, or nothing is left of the output.
        """
        extra = pair("output_padding", output_padding, 0)
        if any(e >= s for e, s in zip(extra, self.stride, strict=True)):
            raise ValueError(f"output_padding: got {extra}, expected less than the stride {self.stride}")
        height, width = (least + more for least, more in zip(self._smallest(input_size), extra, strict=True))
        if height < 1 or width < 1:
            raise ValueError(
                f"padding: {self.padding} leaves an output of {(height, width)} for an input of "
                f"{tuple(input_size)} and kernel_size {self.kernel}; expected at least (1, 1)"
            )
        return height, width  # (transposed-size)

    def check_output_size(self, input_size: Sequence[int], output_size: Size) -> Pair:
        """`output_size` as a pair, if a convolution takes it back to `input_size`; else a ValueError."""
        wanted = pair("output_size", output_size, 1)
        smallest = self._smallest(input_size)
        if any(not 0 <= n - least < s for n, least, s in zip(wanted, smallest, self.stride, strict=True)):
            largest = tuple(least + s - 1 for least, s in zip(smallest, self.stride, strict=True))
            raise ValueError(f"output_size: got {wanted}, expected from {smallest} to {largest}")
        return wanted

    def _smallest(self, input_size: Sequence[int]) -> Pair:
        axes = zip(input_size, self.stride, self.padding, self.extent, strict=True)
        height, width = ((n - 1) * s - 2 * p + e for n, s, p, e in axes)
        return height, width


def pair(name: str, value: Size, least: int) -> Pair:
    """`value` for both axes, or its two values, each at least `least`."""
    vertical, horizontal = numbers(name, value, least, 2)
    return vertical, horizontal


def numbers(name: str, value: Size, least: int, axes: int) -> tuple[int, ...]:
    """`value` for each of so many axes, or its values, one an axis, each at least `least`."""
    each = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    if len(each) != axes or any(not isinstance(n, int | np.integer) or n < least for n in each):
        several = ", or two of them" if axes == 2 else ""
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least}{several}")
    return tuple(int(n) for n in each)


def check_images(x: Array) -> None:
    """Raise a ValueError unless x is (batch, channels, height, width), with a pixel."""
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, expected (batch, channels, height, width) "
            "with at least one pixel"
        )


def check_arrays(**arrays: Array) -> None:
    """Raise a ValueError unless all arrays have four axes, a channel, and one floating dtype."""
    for name, x in arrays.items():
        if x.ndim != 4:
            raise ValueError(f"{name}: got shape {x.shape}, expected four axes")
        if 0 in x.shape[1:2]:
            raise ValueError(f"{name}: got shape {x.shape}, expected at least one channel")
        if x.dtype not in ("float32", "float64"):
            raise ValueError(f"{name}: got dtype {x.dtype}, expected float32 or float64")
    if len(set(map(attrgetter("dtype"), arrays.values()))) > 1:
        dtypes = {name: str(x.dtype) for name, x in arrays.items()}
        raise ValueError(f"{' and '.join(arrays)}: got dtypes {dtypes}, expected one and the same")


def check_channels(name: str, given: int, expected: int, reason: str) -> None:
    """Raise a ValueError unless an array has the channels that `reason` calls for."""
    if given != expected:
        raise ValueError(f"{name}: got {given} channels, expected {expected}: {reason}")


def check_groups(groups: int, **channels: int) -> None:
    """Raise a ValueError unless `groups` divides all channel counts."""
    for name, count in channels.items():
        if count % groups:
            raise ValueError(f"groups: got {groups}, expected a divisor of the {count} {name} channels")
