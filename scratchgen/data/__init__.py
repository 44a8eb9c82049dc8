"""Data: real digits that ship inside, MNIST, Fashion-MNIST, your own pictures, and minibatches of them."""

from . import avatars, driving, physics, scans, toy
from .batches import batches
from .digits import digits
from .distortions import distorted
from .errors import DataError
from .folder import folder
from .mnist import fashion_mnist, mnist
from .pixels import binarise, dequantise
from .poisson import PoissonBatch, poisson_batches
from .record import Images

__all__ = [
    "DataError",
    "Images",
    "PoissonBatch",
    "avatars",
    "batches",
    "binarise",
    "dequantise",
    "digits",
    "distorted",
    "driving",
    "fashion_mnist",
    "folder",
    "mnist",
    "physics",
    "poisson_batches",
    "scans",
    "toy",
]
