"""Floor 3: networks, the functions inside the models."""

from .classifier import ConvClassifier
from .conditional import ConditionalGenerator, ProjectionDiscriminator, WithLabel
from .convolutional import ConvDecoder, ConvEncoder
from .field import FieldNetwork
from .filling import FillingNetwork
from .fourier import FourierFeatures
from .gated import GatedPixels
from .gaussian import GaussianHeads
from .masked import MaskedConv2d, MaskedLinear
from .mlp import MLP
from .patches import InPatches
from .points import SpatialPoints
from .small_images import SmallImageDecoder, SmallImageEncoder, small_shape
from .time_mlp import TimeMLP
from .unet import UNet
from .waves import WaveNetwork

__all__ = [
    "MLP",
    "ConditionalGenerator",
    "ConvClassifier",
    "ConvDecoder",
    "ConvEncoder",
    "FieldNetwork",
    "FillingNetwork",
    "FourierFeatures",
    "GatedPixels",
    "GaussianHeads",
    "InPatches",
    "MaskedConv2d",
    "MaskedLinear",
    "ProjectionDiscriminator",
    "SmallImageDecoder",
    "SmallImageEncoder",
    "SpatialPoints",
    "TimeMLP",
    "UNet",
    "WaveNetwork",
    "WithLabel",
    "small_shape",
]
