"""Floor 4: the generative models, one page of mathematics each."""

from .autoencoder import Autoencoder
from .autoregressive import MADE, NADE, CategoricalChain, PixelCNN
from .diffusion import DDPM, LatentDiffusion, Schedule, cosine_schedule, linear_schedule
from .gan import GAN, ExemplarGAN, PhysicsInformedGAN
from .naive_bayes import CategoricalNaiveBayes, JointMultinomial, PixelNaiveBayes
from .semi_supervised import SemiSupervisedVAE
from .swap import SwapAutoencoder
from .vae import VAE, MixturePrior, VampPrior

__all__ = [
    "DDPM",
    "GAN",
    "MADE",
    "NADE",
    "VAE",
    "Autoencoder",
    "CategoricalChain",
    "CategoricalNaiveBayes",
    "ExemplarGAN",
    "JointMultinomial",
    "LatentDiffusion",
    "MixturePrior",
    "PhysicsInformedGAN",
    "PixelCNN",
    "PixelNaiveBayes",
    "Schedule",
    "SemiSupervisedVAE",
    "SwapAutoencoder",
    "VampPrior",
    "cosine_schedule",
    "linear_schedule",
]
