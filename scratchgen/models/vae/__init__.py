"""Variational autoencoders. Read `model`, `likelihoods`, `priors`, `building`."""

from .model import VAE
from .priors import MixturePrior, VampPrior

__all__ = ["VAE", "MixturePrior", "VampPrior"]
