"""How the time of the U-Net's training step grows with the batch and with the number of pixels."""

from __future__ import annotations

import statistics

from . import unet
from .timing import Step, take_turns

WIDTH = 32
SIZES = [(64, 16), (64, 28), (64, 56), (128, 28), (256, 28)]


def main() -> None:
    """Milliseconds for each size, and nanoseconds for each pixel of each image, which should be the same."""
    print(f"\nScaling of the U-Net step, width {WIDTH}   (target: time in proportion to batch and pixels)")
    names = {f"batch {batch:3}, {pixels}x{pixels}": (batch, pixels) for batch, pixels in SIZES}
    for name, (batch, pixels) in names.items():
        times = take_turns({name: our_step}, batch, pixels, turns=3, seconds=2.0)
        seconds = statistics.median(times[name])
        print(f"  {name}  {1e3 * seconds:9.1f} ms  {1e9 * seconds / (batch * pixels**2):9.0f} ns a pixel")


def our_step(batch: int, pixels: int) -> Step:
    """The step of `unet.py` on images of another size."""
    return unet.our_step(WIDTH, *unet.examples(batch, pixels))
