"""Autoregressive models: each number after those before it, with an exact log-likelihood."""

from .made import MADE
from .nade import NADE

__all__ = ["MADE", "NADE"]
