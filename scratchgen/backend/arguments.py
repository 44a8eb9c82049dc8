"""What functions of every floor ask of an argument that has to be an array."""

from __future__ import annotations

from typing import Any


def check_array(name: str, x: Any) -> None:
    """Raise unless `x` is an array or a Tensor.

    Raises
    ------
    TypeError
        Naming the argument and what was given.
    """
    if not hasattr(x, "dtype"):
        raise TypeError(f"{name}: got {type(x).__name__}, expected an array or Tensor (see sg.asarray)")
