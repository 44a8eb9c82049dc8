"""Peak resident memory of the U-Net's training step: ours and PyTorch's, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from . import unet
from .timing import Step

TARGET = 1.5
STEPS = 3
MEGA = 2**20


def main() -> None:
    """One table for each width."""
    for width in (32, 64):
        print(
            f"\nPeak memory of the U-Net step, width {width}, 28x28, batch 64   (target: at most {TARGET} x)"
        )
        peaks = {}
        for name, make in unet.MAKERS.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                measured = pool.apply(peak, (make, width))
            if measured is None:
                print(f"  ({name} is not installed)")
                continue
            before, peaks[name] = measured
            own = peaks[name] - before
            print(f"  {name:28} {peaks[name]:7.0f} MB, of which {own:7.0f} MB are the network and its steps")
        if rivals := [megabytes for name, megabytes in peaks.items() if name != "scratchgen"]:
            print(f"  ours takes {peaks['scratchgen'] / min(rivals):.2f} x the smaller of PyTorch's")


def peak(make: Callable[..., Step], width: int) -> tuple[float, float] | None:
    """Megabytes once the library is loaded, and at most during some steps; None where it is missing."""
    try:
        if make is not unet.our_step:
            import torch  # noqa: F401, before the first look
    except ImportError:
        return None
    before = highest()
    step = make(width, *unet.examples(unet.BATCH, unet.PIXELS))
    for _ in range(STEPS):
        step()
    return before, highest()


def highest() -> float:
    """The most memory in megabytes that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; what getrusage says there includes the process's parent, before exec
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGA
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGA
