"""Generative adversarial networks: read `objectives`, then `penalty`, then `model`, which plays the game."""

from .model import GAN
from .objectives import OBJECTIVES, critic_loss, discriminator_loss, generator_loss
from .penalty import gradient_penalty, interpolate

__all__ = [
    "GAN",
    "OBJECTIVES",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "gradient_penalty",
    "interpolate",
]
