"""Trained weights that lie beside the lessons, so that MNIST digits can be drawn without MNIST or training.

What draws is kept, and nothing else: a decoder, a generator, a network that takes noise away. Each file of
``weights/`` is a checkpoint in half precision, and ``weights/weights.json`` says where it comes from: the
command, the commit, what was measured of it, and the SHA-256 without which it is not used.
`python3 demos/weights/record.py` writes both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _published, ddpm, gan
from scratchgen.models import DDPM, GAN, VAE
from scratchgen.training import CheckpointError, load_checkpoint

FOLDER = Path(__file__).with_name("weights")
RECORD = "weights.json"
SHAPE, LEVELS, CLASSES = (1, 28, 28), 256, 10  # of MNIST


@dataclass(frozen=True)
class Trained:
    """What is known of a file of weights."""

    title: str
    command: str
    """What trained it; a few words may follow."""
    commit: str
    steps: int
    seconds: float
    machine: str
    parameters: int
    """Of the part that draws, which is what the file holds."""
    figures: dict[str, str]
    """What was measured of samples that these very weights drew, and of the likelihood."""
    sha256: str


def untrained(name: str) -> tuple[Any, sg.nn.Module]:
    """A model as its lesson makes it for MNIST, and the part of it whose weights are kept."""
    model: Any = MAKERS[name]()
    return model, model.generator if isinstance(model, GAN) else model


def published() -> VAE:
    """The VAE of `python3 demos vae --data mnist --published`: 50 latents."""
    return _published.network(0, np.zeros((1, *SHAPE), np.float32))


def flat() -> VAE:
    """The VAE of two latents of `python3 demos vae --data mnist`."""
    return VAE.dense(SHAPE, hidden_dim=256, latent_dim=2)


def forger() -> GAN:
    """The GAN of `python3 demos gan --data mnist`; its discriminator is not kept."""
    return gan.players(gan.Options(data="mnist").settled(), SHAPE, CLASSES)


def painter() -> DDPM:
    """The diffusion model of `python3 demos ddpm --data mnist`."""
    return ddpm.denoiser(ddpm.Options(data="mnist").settled(), SHAPE, LEVELS, CLASSES)


MAKERS: dict[str, Callable[[], VAE | GAN | DDPM]] = {
    "vae": published,
    "vae-plane": flat,
    "gan": forger,
    "ddpm": painter,
}


class HalfPrecision:
    """The state of a module as a file holds it: its floating-point numbers in 16 bits.

    Examples
    --------
    >>> layer = sg.nn.Linear(3, 2)
    >>> HalfPrecision(layer).state_dict()["weight"].dtype
    dtype('float16')
    """

    def __init__(self, module: sg.nn.Module) -> None:
        self.module = module

    def state_dict(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        state = {name: sg.asnumpy(array) for name, array in self.module.state_dict().items()}
        return {name: a.astype(np.float16) if a.dtype.kind == "f" else a for name, a in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give the module these numbers, in the precision that it computes with."""
        self.module.load_state_dict(state)


def record(folder: Path = FOLDER) -> dict[str, Trained]:
    """What is known of each file, by its name.

    Raises
    ------
    CheckpointError
        If the record is missing or damaged.
    """
    path = folder / RECORD
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return {name: Trained(**entry) for name, entry in known.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}); {AGAIN}") from error


def load(name: str, folder: Path = FOLDER) -> Any:
    """The trained model of that name, one of `MAKERS`, ready to draw.

    Raises
    ------
    CheckpointError
        Naming the file, if it is missing, or not the one that the record describes.
    """
    path = folder / f"{name}.npz"
    expected = record(folder)[name].sha256
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from error
    if (found := hashlib.sha256(content).hexdigest()) != expected:
        raise CheckpointError(
            f"{path}: damaged: {len(content):,} bytes of SHA-256 {found}, expected {expected}; {AGAIN}"
        )
    model, kept = untrained(name)
    load_checkpoint(path, weights=HalfPrecision(kept))
    model.eval()
    return model


AGAIN = "get the folder from the repository again"
