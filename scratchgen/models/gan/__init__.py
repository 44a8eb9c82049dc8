"""Generative adversarial networks: read `objectives`, `penalty`, `model` (the game), then `physics`."""

from .model import GAN
from .objectives import OBJECTIVES, critic_loss, discriminator_loss, generator_loss
from .penalty import gradient_penalty, interpolate
from .physics import PhysicsInformedGAN, slope

__all__ = [
    "GAN",
    "OBJECTIVES",
    "PhysicsInformedGAN",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "gradient_penalty",
    "interpolate",
    "slope",
]
