"""Variational autoencoders. Read `model`, `likelihoods`, `priors`, `building`, `filling`."""

from .filling import fill_in
from .model import VAE
from .priors import MixturePrior, VampPrior

__all__ = ["VAE", "MixturePrior", "VampPrior", "fill_in"]
