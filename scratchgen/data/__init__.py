"""Data: real digits that ship inside, MNIST and Fashion-MNIST, and minibatches of any of them."""

from . import avatars, driving, physics, scans, toy
from .batches import batches
from .digits import digits
from .errors import DataError
from .mnist import fashion_mnist, mnist
from .pixels import binarise, dequantise
from .record import Images

__all__ = [
    "DataError",
    "Images",
    "avatars",
    "batches",
    "binarise",
    "dequantise",
    "digits",
    "driving",
    "fashion_mnist",
    "mnist",
    "physics",
    "scans",
    "toy",
]
