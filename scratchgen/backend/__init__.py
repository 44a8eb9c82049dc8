"""Floor 0: arrays, devices and random numbers; the only folder that says "cupy"."""

from .process import keep_freed_memory, let_waiting_threads_sleep

let_waiting_threads_sleep()  # has to come before NumPy is loaded

from . import checks
from .device import (
    Array,
    Device,
    asarray,
    asnumpy,
    current_device,
    device_of,
    erf,
    erfcx,
    get_device,
    scatter_add,
    use_device,
)
from .random import RandomStream, check_rng

keep_freed_memory()

__all__ = [
    "Array",
    "Device",
    "RandomStream",
    "asarray",
    "asnumpy",
    "check_rng",
    "checks",
    "current_device",
    "device_of",
    "erf",
    "erfcx",
    "get_device",
    "scatter_add",
    "use_device",
]
