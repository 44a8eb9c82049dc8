"""What the models check of their arguments before they work on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import check_rng
from ..nn.module import Module, check_size


def check_batch(
    x: Any, shape: tuple[int, ...] | None = None, zero_to_one: bool = False, name: str = "x"
) -> Any:
    """`x`, if it is a non-empty batch of floating-point examples of a given shape.

    The values are looked at in host memory only: on a GPU the host would have to wait for them.

    Parameters
    ----------
    x : array or Tensor
    shape : tuple of int, optional
        One example's.
    zero_to_one : bool
        Whether to insist on values in [0, 1]; NaN and infinities are refused in any case.
    name : str
        Of the argument, for the message.

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    if not hasattr(x, "dtype") or x.dtype.kind != "f":
        given = f"an array of {x.dtype}" if hasattr(x, "dtype") else type(x).__name__
        raise TypeError(f"{name}: got {given}, expected a float32 or float64 array (see sg.asarray)")
    if x.ndim < 2 or x.size == 0 or (shape is not None and tuple(x.shape[1:]) != shape):
        expected = "(batch, ...)" if shape is None else f"(batch, {', '.join(map(str, shape))})"
        raise ValueError(f"{name}: got shape {tuple(x.shape)}, expected {expected} with at least one example")
    if isinstance(raw(x), np.ndarray):
        _check_values(raw(x), zero_to_one, name)
    return x


def _check_values(x: np.ndarray, zero_to_one: bool, name: str) -> None:
    if zero_to_one:
        low, high = x.min(), x.max()  # NaN if there is one
        if low >= 0 and high <= 1:
            return
    elif np.isfinite(np.vdot(x, x)):  # the fastest pass over the numbers that there is
        return
    bad = ~np.isfinite(x)
    if bad.any():
        example = int(np.argwhere(bad)[0, 0])
        raise ValueError(
            f"{name}: got {int(bad.sum())} NaN or infinite numbers, the first in example {example}"
        )
    if zero_to_one:
        raise ValueError(
            f"{name}: got numbers from {low:g} to {high:g}, expected 0 to 1 for a Bernoulli likelihood; "
            "scale the data, or take likelihood='normal'"
        )


def check_codes(z: Any, latent_dim: int | None = None) -> Any:
    """`z`, if it is a batch of codes of floating-point numbers.

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    if not hasattr(z, "dtype") or z.dtype.kind != "f":
        given = f"an array of {z.dtype}" if hasattr(z, "dtype") else type(z).__name__
        raise TypeError(f"z: got {given}, expected a float32 or float64 array (see sg.asarray)")
    if z.ndim != 2 or latent_dim not in (None, z.shape[1]):
        expected = "latent_dim" if latent_dim is None else latent_dim
        raise ValueError(f"z: got shape {tuple(z.shape)}, expected (batch, {expected})")
    return z


def check_modules(**modules: Any) -> None:
    """That each is a Module.

    Raises
    ------
    TypeError
        Naming the first that is not.
    """
    for name, module in modules.items():
        if not isinstance(module, Module):
            raise TypeError(f"{name}: got {type(module).__name__}, expected a Module")


def check_decoded(decoded: Any, x: Any) -> Any:
    """`decoded`, if it has the shape of `x`: another might broadcast, and give a loss that means nothing.

    Raises
    ------
    ValueError
        Naming both shapes.
    """
    if tuple(decoded.shape) != tuple(x.shape):
        raise ValueError(f"decoder: gave shape {tuple(decoded.shape)}, expected {tuple(x.shape)} like x")
    return decoded


def check_example_shape(input_dim: int | tuple[int, ...]) -> tuple[int, ...]:
    """One example's shape, from its number of features or from the shape itself.

    Raises
    ------
    ValueError
        If a length is not a positive whole number.
    """
    sizes = input_dim if isinstance(input_dim, tuple | list) else (input_dim,)
    if not sizes:
        raise ValueError("input_dim: got an empty shape, expected at least one axis")
    return tuple(check_size("input_dim", size) for size in sizes)


def check_draw(n: Any, rng: Any) -> None:
    """What a model's ``sample(n, rng)`` accepts.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number, 0 or more, or `rng` no RandomStream.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise ValueError(f"n: got {n!r}, expected a whole number, 0 or more")
    check_rng(rng)
