"""Layers as functions (PyTorch's ``torch.nn.functional``), each of which stands beside its layer."""

from ..autograd import leaky_relu, linear, log_softmax, relu, sigmoid, softmax, softplus, tanh
from .activations import gelu, silu
from .attention import attention_weights, scaled_dot_product_attention
from .convolution import conv1d, conv2d, conv_transpose2d
from .dropout import dropout
from .embedding import embedding
from .group_norm import group_norm
from .layer_norm import layer_norm
from .losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from .pooling import avg_pool2d, max_pool2d
from .shape import pad
from .upsample import interpolate

__all__ = [
    "attention_weights",
    "avg_pool2d",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "group_norm",
    "interpolate",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "pad",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
