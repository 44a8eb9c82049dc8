"""Floor 2: layers. Read `module`, `linear`, then any layer by itself."""

from . import functional, init
from .activations import GELU, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from .attention import MultiheadAttention
from .batch_norm import BatchNorm1d, BatchNorm2d
from .container import ModuleList, Sequential
from .convolution import Conv1d, Conv2d, ConvTranspose2d
from .dropout import Dropout
from .embedding import Embedding
from .group_norm import GroupNorm, GroupNormSiLU
from .layer_norm import LayerNorm
from .linear import Linear
from .module import Buffer, Module, Parameter
from .pooling import AvgPool2d, MaxPool2d
from .shape import Flatten, Unflatten
from .summary import summary
from .time_embedding import SinusoidalEmbedding
from .upsample import Upsample

__all__ = [
    "GELU",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "GroupNormSiLU",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "MultiheadAttention",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SinusoidalEmbedding",
    "Softplus",
    "Tanh",
    "Unflatten",
    "Upsample",
    "functional",
    "init",
    "summary",
]
