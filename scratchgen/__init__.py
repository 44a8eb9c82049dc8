"""Generative models from scratch, on an autograd engine of NumPy or CuPy arrays.

>>> import scratchgen as sg
>>> x = sg.tensor([1.0, 2.0], requires_grad=True)
>>> sg.grad((x * x).sum(), x)
[array([2., 4.], dtype=float32)]
"""

from .backend import asarray, asnumpy, use_device  # first: it sets how OpenBLAS waits before NumPy loads it

# isort: split
from . import autograd, backend, data, distributions, metrics, models, networks, nn, optim, training
from .autograd import *  # noqa: F403
