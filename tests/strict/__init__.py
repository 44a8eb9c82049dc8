"""A strict stand-in for CuPy: arrays that live in ordinary memory and behave as if they lived on a GPU.

It stands for a device that the machines of this project lack, so where CuPy refuses something it refuses too,
and where CuPy waits for the device it counts. What CuPy has and lacks is not a matter of opinion: the file
`cupy_names.json` lists its functions, methods and keywords, generated from the real package by `table.py`.
"""

from .array import StrictArray, strict_device, upload
from .traffic import Traffic, host_synchronisations

__all__ = ["StrictArray", "Traffic", "host_synchronisations", "strict_device", "upload"]
