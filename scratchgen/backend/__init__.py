"""Floor 0: arrays, devices and random numbers; the only folder that says "cupy"."""

from .process import keep_freed_memory, let_waiting_threads_sleep, share_out_cores

let_waiting_threads_sleep()  # these two have to come before NumPy is loaded
share_out_cores()

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
from .ranks import current_ranks

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
    "current_ranks",
    "device_of",
    "erf",
    "erfcx",
    "get_device",
    "scatter_add",
    "use_device",
]
