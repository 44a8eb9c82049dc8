"""Generative models from scratch, on an autograd engine of NumPy or CuPy arrays.

>>> import scratchgen as sg
>>> x = sg.tensor([1.0, 2.0], requires_grad=True)
>>> sg.grad((x * x).sum(), x)
[array([2., 4.], dtype=float32)]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .backend import RandomStream, asarray, asnumpy, use_device  # first: it sets how NumPy's threads wait

# isort: split
from . import autograd, backend
from .autograd import *  # noqa: F403
from .backend.convolution import use_exact_convolution

if TYPE_CHECKING:
    from . import coding, data, distributions, metrics, models, networks, nn, optim, plots, training

LATER = (
    *("coding", "data", "distributions", "metrics", "models"),
    *("networks", "nn", "optim", "plots", "training"),
)
"""Imported when they are first asked for: not every program draws, trains or compresses."""

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """A folder of `LATER`, such as `sg.nn`."""
    if name in LATER:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER})
