"""Variational autoencoders. Read `model`, `likelihoods`, `priors`, `building`, `filling`, `turned`."""

from .filling import fill_in
from .model import VAE
from .priors import MixturePrior, VampPrior
from .turned import turned

__all__ = ["VAE", "MixturePrior", "VampPrior", "fill_in", "turned"]
