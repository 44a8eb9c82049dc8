"""Autoregressive models: each number after those before it, with an exact log-likelihood."""

from .chain import CategoricalChain
from .made import MADE
from .nade import NADE
from .pixelcnn import PixelCNN

__all__ = ["MADE", "NADE", "CategoricalChain", "PixelCNN"]
