"""Floor 4: the generative models, one page of mathematics each."""

from .autoencoder import Autoencoder
from .naive_bayes import CategoricalNaiveBayes, JointMultinomial, PixelNaiveBayes
from .vae import VAE

__all__ = ["VAE", "Autoencoder", "CategoricalNaiveBayes", "JointMultinomial", "PixelNaiveBayes"]
