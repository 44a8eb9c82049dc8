"""BatchNorm: each feature brought to mean 0 and variance 1 over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import raw, sqrt
from ..autograd.normalisation import batch_norm, batch_norm_of_ranks, batch_statistics
from ..backend import RandomStream, checks
from ..backend.ranks import is_shared
from .module import Buffer, Module, parameter_like


class _BatchNorm(Module):
    """What batch normalisation of vectors and of images share (Ioffe & Szegedy 2015, algorithm 1)."""

    ndims: tuple[int, ...]
    accepted: str

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.num_features = checks.whole("num_features", num_features)
        self.eps = checks.number("eps", eps, "[0, inf)")
        self.momentum = checks.number("momentum", momentum, "[0, 1]")
        self.weight = parameter_like((num_features,), 1.0)
        self.bias = parameter_like((num_features,), 0.0)
        self.running_mean = Buffer(np.zeros(num_features, np.float32))
        self.running_var = Buffer(np.ones(num_features, np.float32))
        self.num_batches_tracked = Buffer(np.array(0, np.int64))

    def reset_parameters(self, rng: RandomStream) -> None:
        self.weight.data[...] = 1
        self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        if checks.floating("x", x).ndim not in self.ndims or x.shape[1] != self.num_features:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, expected {self.accepted} with {self.num_features} features"
            )
        count = x.size // self.num_features
        if self.training and is_shared():
            y, *statistics = batch_norm_of_ranks(x, self.weight, self.bias, eps=self.eps)
            self._track(*statistics)
            return y
        if self.training and count < 2:
            raise ValueError(
                f"x: got {count} value per feature in training, expected at least 2 to have a variance"
            )
        if self.training:
            y = batch_norm(x, self.weight, self.bias, eps=self.eps)
            self._track(*batch_statistics(raw(x)), count)  # after what may be refused, for another dtype
            return y
        # In evaluation the statistics are constants, so all is one scale and one shift for each channel.
        column = (1, self.num_features) + (1,) * (x.ndim - 2)  # broadcasts against (batch, features, ...)
        scale = self.weight / sqrt(self.running_var.data + self.eps)
        centred = x - self.running_mean.data.reshape(column)
        return centred * scale.reshape(column) + self.bias.reshape(column)

    def _track(self, mean: Any, variance: Any, count: int) -> None:
        kept = 1 - self.momentum
        unbiased = variance * (count / (count - 1))
        for running, current in ((self.running_mean, mean), (self.running_var, unbiased)):
            new = kept * running.data + self.momentum * current.reshape(-1)  # (batch-norm-statistics)
            running.data[...] = new
        self.num_batches_tracked.data[...] += 1

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of vectors, ``(batch, features)``, or sequences, ``(batch, features, length)``.

    ::

        y = (x - mean) / sqrt(var + eps) * weight + bias                                     (batch-norm)
        running <- (1 - momentum) running + momentum current                      (batch-norm-statistics)

    In training, mean and (biased) variance are the batch's own, and the derivative flows through them; the
    running statistics follow by the second line, with the unbiased variance. In evaluation the running ones
    are used. Where several ranks share a batch, its own are those of the whole batch, of all ranks.

    Parameters
    ----------
    num_features : int
    eps : float
        Inside the root.
    momentum : float
        Of the running statistics: the share of the newest batch.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,)
    running_mean, running_var : Buffer, shape (num_features,)
    num_batches_tracked : Buffer, shape ()

    Raises
    ------
    ValueError
        If `x` has another shape, or in training has fewer than two values per feature.

    Examples
    --------
    >>> BatchNorm1d(1)(np.array([[1.0], [3.0]], np.float32))
    Tensor([[-1.],
            [ 1.]], shape=(2, 1), from batch_norm)
    """

    ndims = (2, 3)
    accepted = "(batch, features) or (batch, features, length)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images: ``(batch, channels, h, w) -> (batch, channels, h, w)``.

    As `BatchNorm1d`, with a channel as the feature and each pixel of each image as an example of it.

    Parameters
    ----------
    num_features : int
        The channels.
    eps : float
        Inside the root.
    momentum : float
        Of the running statistics: the share of the newest batch.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,)
    running_mean, running_var : Buffer, shape (num_features,)
    num_batches_tracked : Buffer, shape ()

    Raises
    ------
    ValueError
        If `x` has another shape, or in training a channel has fewer than two pixels in all.

    Examples
    --------
    >>> BatchNorm2d(1)(np.array([[[[1.0, 3.0]]]], np.float32))
    Tensor([[[[-1.,  1.]]]], shape=(1, 1, 1, 2), from batch_norm)
    """

    ndims = (4,)
    accepted = "(batch, features, height, width)"
