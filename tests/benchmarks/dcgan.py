"""One step each of a DCGAN's two networks, 28 x 28, batch 64: ours, PyTorch's, Chainer's and DeZero's.

Widths 64 and 128, kernel 4, batch normalisation (Radford et al. 2015), the non-saturating loss, Adam. Chainer
and DeZero need an older NumPy and so a Python of their own, which ``CHAINER_PYTHON`` and ``DEZERO_PYTHON``
name. With Python 3.9, in a virtual environment: ::

    pip install "numpy<1.24" "setuptools<60" wheel matplotlib dezero
    pip install --no-build-isolation chainer==7.8.1
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import nn
from scratchgen.backend import RandomStream
from scratchgen.networks import ConvDecoder, ConvEncoder
from scratchgen.nn import functional as F

from .tables import Table, comparison
from .timing import Step, faster, take_turns

TARGET = 1.0
BATCH, LATENT, WIDTHS = 64, 64, (64, 128)
SHAPE = (1, 28, 28)
ELSEWHERE = {
    "Chainer": ("CHAINER_PYTHON", "chainer_dcgan.py"),
    "DeZero": ("DEZERO_PYTHON", "dezero_dcgan.py"),
}


def tables(quick: bool) -> Iterator[Table]:
    """One table."""
    commands = {
        name: [os.environ[variable], str(Path(__file__).with_name(script))]
        for name, (variable, script) in ELSEWHERE.items()
        if variable in os.environ
    }
    for name, (variable, _) in ELSEWHERE.items():
        if variable not in os.environ:
            print(f"  ({name} is left out: {variable} names no Python that has it)")
    turns, seconds = (3, 0.6) if quick else (7, 2.0)
    times = take_turns(MAKERS, examples(), turns=turns, seconds=seconds, commands=commands)
    title = f"DCGAN: a step of each network, 28x28, batch {BATCH}"
    yield comparison(title, faster(times, "PyTorch eager"), f"{TARGET:g} times PyTorch's time")


def examples() -> np.ndarray:
    """Images (batch, 1, 28, 28) in -1 .. 1."""
    return np.tanh(np.random.default_rng(0).normal(size=(BATCH, *SHAPE))).astype(np.float32)


def our_step(images: np.ndarray) -> Step:
    """Forward, backward and Adam of each."""
    rng = RandomStream(0, "dcgan")
    generator = nn.Sequential(ConvDecoder(LATENT, SHAPE, WIDTHS[::-1], batch_norm=True), nn.Tanh())
    discriminator = ConvEncoder(SHAPE, 1, WIDTHS, activation=lambda: nn.LeakyReLU(0.2), batch_norm=True)
    generator_optimiser, discriminator_optimiser = (
        sg.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for network in (generator, discriminator)
    )
    ones, zeros = (np.full((BATCH, 1), value, np.float32) for value in (1, 0))
    loss = F.binary_cross_entropy_with_logits

    def step() -> None:
        fake = generator(rng.normal((BATCH, LATENT)))
        discriminator_optimiser.zero_grad()
        (loss(discriminator(images), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        discriminator_optimiser.step()
        generator_optimiser.zero_grad()
        loss(discriminator(fake), ones).backward()
        generator_optimiser.step()

    return step


def torch_step(channels_last: bool, images: np.ndarray) -> Step:
    """The same in PyTorch, as its users write it."""
    import torch
    from torch import nn

    first, second = WIDTHS
    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator = nn.Sequential(
        *(
            nn.Linear(LATENT, second * 7 * 7),
            nn.Unflatten(1, (second, 7, 7)),
            nn.BatchNorm2d(second),
            nn.ReLU(),
        ),
        *(nn.ConvTranspose2d(second, first, 4, 2, 1), nn.BatchNorm2d(first), nn.ReLU()),
        *(nn.ConvTranspose2d(first, 1, 4, 2, 1), nn.Tanh()),
    ).to(memory_format=layout)
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, first, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(first, second, 4, 2, 1), nn.BatchNorm2d(second), nn.LeakyReLU(0.2)),
        *(nn.Flatten(), nn.Linear(second * 7 * 7, 1)),
    ).to(memory_format=layout)
    generator_optimiser, discriminator_optimiser = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for network in (generator, discriminator)
    )
    real = torch.from_numpy(images).to(memory_format=layout)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    loss = nn.functional.binary_cross_entropy_with_logits

    def step() -> None:
        fake = generator(torch.randn(BATCH, LATENT))
        discriminator_optimiser.zero_grad()
        (loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        discriminator_optimiser.step()
        generator_optimiser.zero_grad()
        loss(discriminator(fake), ones).backward()
        generator_optimiser.step()

    return step


def torch_contiguous(images: np.ndarray) -> Step:
    """PyTorch with channels first in memory."""
    return torch_step(False, images)


def torch_channels_last(images: np.ndarray) -> Step:
    """PyTorch with channels last in memory."""
    return torch_step(True, images)


MAKERS: dict[str, Callable[[Any], Step]] = {
    "scratchgen": our_step,
    "PyTorch eager": torch_contiguous,
    "PyTorch eager, channels_last": torch_channels_last,
}
