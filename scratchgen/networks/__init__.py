"""Floor 3: networks, the functions inside the models."""

from .convolutional import ConvDecoder, ConvEncoder
from .gaussian import GaussianHeads
from .mlp import MLP
from .unet import UNet

__all__ = ["MLP", "ConvDecoder", "ConvEncoder", "GaussianHeads", "UNet"]
