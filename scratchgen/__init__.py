"""Generative models from scratch, on an autograd engine of NumPy or CuPy arrays.

>>> import scratchgen as sg
>>> x = sg.tensor([1.0, 2.0], requires_grad=True)
>>> sg.grad((x * x).sum(), x)
[array([2., 4.], dtype=float32)]
"""

from typing import TYPE_CHECKING, Any

from .backend import RandomStream, asarray, asnumpy, use_device  # first: it sets how NumPy's threads wait

# isort: split
from . import autograd, backend, coding, data, distributions, metrics, models, networks, nn, optim, training
from .autograd import *  # noqa: F403
from .backend.convolution import use_exact_convolution

if TYPE_CHECKING:
    from . import plots

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`sg.plots`, imported when it is first asked for, since not every program draws."""
    if name == "plots":
        from importlib import import_module

        return import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
