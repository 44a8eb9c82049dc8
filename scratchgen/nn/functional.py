"""Layers as functions (PyTorch's ``torch.nn.functional``): no parameters of their own, no state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import (
    binary_cross_entropy,
    erf,
    leaky_relu,
    linear,
    log_softmax,
    normalisation,
    raw,
    relu,
    sigmoid,
    softmax,
    softplus,
    sqrt,
    take_along_axis,
    tanh,
)
from ..backend import Array, check_array
from .convolution import conv1d, conv2d, conv_transpose2d
from .dot_product import attention_weights, scaled_dot_product_attention
from .dropout import dropout
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


def silu(x: Any) -> Any:
    """Sigmoid-weighted linear unit (Elfwing et al. 2017).

    ::

        silu(x) = x s(x),     silu'(x) = s(x) (1 + x (1 - s(x))),     s the sigmoid                (silu)
    """
    return x * sigmoid(x)


def gelu(x: Any) -> Any:
    """Gaussian error linear unit, with the exact normal distribution function Phi.

    ::

        gelu(x) = x Phi(x) = x (1 + erf(x / sqrt 2)) / 2                                           (gelu)

    Hendrycks & Gimpel 2016, section 2.
    """
    return x * (erf(x * (1 / math.sqrt(2))) + 1) * 0.5


def _reduce(losses: Any, reduction: str) -> Any:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction: got {reduction!r}, expected 'none', 'mean' or 'sum'")
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def _same_shape(name: str, x: Any, target: Any) -> None:
    check_array(name, x)
    check_array("target", target)
    if tuple(x.shape) != tuple(target.shape):
        raise ValueError(f"target: got shape {tuple(target.shape)}, expected {tuple(x.shape)} like {name}")


def binary_cross_entropy_with_logits(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """-log Bernoulli(target | sigmoid(logits)), elementwise, in nats; finite for every finite logit.

    PyTorch's default ``reduction="mean"`` averages over every element; the models here sum over an example's
    dimensions instead, so that their losses are nats per example.
    """
    _same_shape("logits", logits, target)
    return _reduce(binary_cross_entropy(logits, target), reduction)


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Squared error, (x - target)^2, elementwise."""
    _same_shape("x", x, target)
    difference = x - target
    return _reduce(difference * difference, reduction)


def cross_entropy(logits: Any, labels: Array, reduction: str = "mean") -> Any:
    """Of each example, the surprise at its label, in nats.

    ::

        L = -log softmax(l)[c] = log sum_k e^l_k - l_c                              (cross-entropy-loss)

    Parameters
    ----------
    logits : shape (batch, classes)
    labels : whole numbers 0 .. classes - 1, shape (batch,)

    Raises
    ------
    TypeError, ValueError, IndexError
        If labels are no whole numbers, of a wrong shape, or (on the host) name no class.

    Examples
    --------
    >>> cross_entropy(np.zeros((2, 4)), np.array([0, 3])) == np.log(4)
    np.True_
    """
    check_array("logits", logits)
    check_array("labels", labels)
    labels = raw(labels)
    if logits.ndim != 2 or tuple(labels.shape) != tuple(logits.shape[:1]):
        raise ValueError(
            f"labels: got shape {tuple(labels.shape)} for logits of shape {tuple(logits.shape)}, "
            "expected (batch,) and (batch, classes)"
        )
    check_indices("labels", labels, logits.shape[1])
    chosen = take_along_axis(log_softmax(logits, axis=1), labels.reshape(-1, 1), axis=1)  # (batch, 1)
    return _reduce(-chosen.reshape(-1), reduction)


def embedding(indices: Array, weight: Any) -> Any:
    """The rows of `weight` named by `indices`: shape ``(*indices.shape, features)``.

    Raises
    ------
    TypeError, IndexError
        If indices are no whole numbers, or (on the host) name no row.
    """
    check_array("indices", indices)
    indices = raw(indices)
    check_indices("indices", indices, weight.shape[0])
    return weight[indices]


def check_indices(name: str, indices: Array, count: int) -> None:
    """Raise unless `indices` are whole numbers in ``0 .. count - 1``; below 0 they would count from the end.

    On a GPU only their type is checked: to look at values would make the host wait for them.
    """
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{name}: got an array of {indices.dtype}, expected whole numbers")
    if isinstance(indices, np.ndarray) and indices.size:
        low, high = indices.min(), indices.max()
        if low < 0 or high >= count:
            raise IndexError(f"{name}: got numbers from {low} to {high}, expected 0 to {count - 1}")


def check_floating(name: str, x: Any) -> None:
    """Raise a TypeError unless an array holds floating-point numbers."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: got an array of {x.dtype}, expected floating-point numbers")


def layer_norm(
    x: Any, normalized_shape: tuple[int, ...], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last axes (Ba et al. 2016, eq. 4)."""
    axes = tuple(range(-len(normalized_shape), 0))
    if tuple(x.shape[-len(normalized_shape) :]) != tuple(normalized_shape):
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, expected its last axes to be {tuple(normalized_shape)}"
        )
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = (centred * centred).mean(axis=axes, keepdims=True)
    y = centred / sqrt(variance + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, silu: bool = False
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the pixels of each group of channels.

    Wu & He 2018, eq. 1 and 7.

    Parameters
    ----------
    x : shape (batch, channels, ...)
    num_groups : int
        Divides the channels.
    weight, bias : shape (channels,), optional
    eps : float
        Inside the root.
    silu : bool
        Whether SiLU follows, computed while the numbers are at hand.

    Raises
    ------
    TypeError, ValueError
        If `x` holds no floating-point numbers, or `num_groups` does not divide the channels.
    """
    check_floating("x", x)
    channels = x.shape[1]
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"num_groups: got {num_groups}, expected a divisor of {channels} channels")
    if weight is None:
        weight = np.ones_like(raw(x), shape=(channels,))
    if bias is None:
        bias = np.zeros_like(raw(x), shape=(channels,))
    return normalisation.group_norm(x, weight, bias, groups=num_groups, eps=eps, silu=silu)
