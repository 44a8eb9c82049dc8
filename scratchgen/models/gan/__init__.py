"""Generative adversarial networks: `objectives`, `penalty`, `model` (the game), `physics`, `exemplar`."""

from .exemplar import ExemplarGAN
from .model import GAN
from .objectives import OBJECTIVES, critic_loss, discriminator_loss, generator_loss
from .penalty import gradient_penalty, interpolate
from .physics import PhysicsInformedGAN, slope

__all__ = [
    "GAN",
    "OBJECTIVES",
    "ExemplarGAN",
    "PhysicsInformedGAN",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "gradient_penalty",
    "interpolate",
    "slope",
]
