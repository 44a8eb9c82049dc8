"""Worlds of random functions that obey a law of physics, solved exactly."""

from .elliptic import Media, media
from .oscillators import Oscillators, oscillators, read_back

__all__ = ["Media", "Oscillators", "media", "oscillators", "read_back"]
