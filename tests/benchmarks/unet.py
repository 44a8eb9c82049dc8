"""A training step of the U-Net, 28 x 28, batch 64 (noise prediction, Adam): ours and PyTorch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import scratchgen as sg
from scratchgen.networks import UNet
from scratchgen.nn import functional as F

from .timing import Step, faster, table, take_turns

TARGET = 1.0
BATCH, PIXELS = 64, 28


def main() -> None:
    """One table for each width."""
    for width in (32, 64):
        network = UNet(1, width=width)
        parameters = sum(p.size for p in network.parameters())
        images, t = examples(BATCH, PIXELS)
        times = take_turns(MAKERS, width, images, t, turns=7, seconds=2.0)
        title = f"U-Net step, width {width}, {parameters:,} parameters, {PIXELS}x{PIXELS}, batch {BATCH}"
        table(title, faster(times, "PyTorch eager"), "scratchgen", TARGET)


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
