"""How the time of the U-Net's training step grows with the batch and with the number of pixels."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from . import unet
from .tables import Table
from .timing import Step, take_turns

WIDTH = 32
SIZES = [(64, 16), (64, 28), (64, 56), (128, 28), (256, 28)]


def tables(quick: bool) -> Iterator[Table]:
    """Milliseconds for each size, and nanoseconds for each pixel of each image, which should be the same."""
    rows = []
    for batch, pixels in SIZES:
        times = take_turns({"ours": our_step}, batch, pixels, turns=1 if quick else 3, seconds=1.0)
        seconds = statistics.median(times["ours"].idle)
        each = 1e9 * seconds / (batch * pixels**2)
        rows.append([f"batch {batch}, {pixels}x{pixels}", f"{1e3 * seconds:.1f}", f"{each:.0f}"])
    title, note = f"How the U-Net's step of width {WIDTH} grows", "Target: in proportion to batch and pixels."
    yield Table(title, ["", "ms a step", "ns a pixel"], rows, note)


def our_step(batch: int, pixels: int) -> Step:
    """The step of `unet.py` on images of another size."""
    return unet.our_step(WIDTH, *unet.examples(batch, pixels))
