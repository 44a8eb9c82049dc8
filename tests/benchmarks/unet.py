"""A training step of the U-Net, 28 x 28, batch 64 (noise prediction, Adam): ours and PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import scratchgen as sg
from scratchgen.networks import UNet
from scratchgen.nn import functional as F

from .tables import Table, comparison
from .timing import Step, faster, take_turns

TARGETS = {32: 0.9, 64: 0.85}
BATCH, PIXELS = 64, 28


def tables(quick: bool) -> Iterator[Table]:
    """One table for each width."""
    turns, seconds = (3, 0.8) if quick else (7, 2.0)
    for width, target in TARGETS.items():
        parameters = sum(p.size for p in UNet(1, width=width).parameters())
        images, t = examples(BATCH, PIXELS)
        times = take_turns(MAKERS, width, images, t, turns=turns, seconds=seconds)
        title = f"U-Net, width {width}: {parameters:,} parameters, {PIXELS}x{PIXELS}, batch {BATCH}"
        yield comparison(title, faster(times, "PyTorch eager"), f"{target:g} times PyTorch's time")


def examples(batch: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images (batch, 1, pixels, pixels) and their times (batch,)."""
    draw = np.random.default_rng(0)
    return draw.normal(size=(batch, 1, pixels, pixels)).astype(np.float32), draw.integers(1, 1001, batch)


def our_step(width: int, images: np.ndarray, t: np.ndarray) -> Step:
    """Forward, backward, Adam."""
    network = UNet(1, width=width)
    optimiser = sg.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        F.mse_loss(network(images, t), images).backward()
        optimiser.step()

    return step


def torch_step(channels_last: bool, width: int, images: np.ndarray, t: np.ndarray) -> Step:
    """The same in PyTorch, as its users write it."""
    import torch

    from ..torch_unet import TorchUNet

    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = TorchUNet(1, 1, width).to(memory_format=layout)
    x, steps = torch.from_numpy(images).to(memory_format=layout), torch.from_numpy(t)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(network(x, steps), x).backward()
        optimiser.step()

    return step


def torch_contiguous(*args: object) -> Step:
    """PyTorch with channels first in memory."""
    return torch_step(False, *args)  # type: ignore[arg-type]


def torch_channels_last(*args: object) -> Step:
    """PyTorch with channels last in memory."""
    return torch_step(True, *args)  # type: ignore[arg-type]


MAKERS: dict[str, Callable[..., Step]] = {
    "scratchgen": our_step,
    "PyTorch eager": torch_contiguous,
    "PyTorch eager, channels_last": torch_channels_last,
}
