"""Losses: of each element or example, then their mean (PyTorch's default), their sum, or all of them."""

from __future__ import annotations

from typing import Any

from ..autograd import binary_cross_entropy, log_softmax, raw, take_along_axis
from ..backend import Array, checks


def binary_cross_entropy_with_logits(logits: Any, target: Any, reduction: str = "mean") -> Any:
    """-log Bernoulli(target | sigmoid(logits)), elementwise, in nats; finite for every finite logit.

    PyTorch's default ``reduction="mean"`` averages over every element; the models here sum over an example's
    dimensions instead, so that their losses are nats per example.
    """
    _check_pair("logits", logits, target)
    return _reduce(binary_cross_entropy(logits, target), reduction)


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Squared error, (x - target)^2, elementwise."""
    _check_pair("x", x, target)
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
        If logits are no floating-point numbers, or labels no whole ones, of a wrong shape, or (on the host)
        name no class.

    Examples
    --------
    >>> import numpy as np
    >>> print(cross_entropy(np.zeros((2, 4)), np.array([0, 3])) - np.log(4))
    0.0
    """
    checks.shape("logits", checks.floating("logits", logits), ("batch", "classes"))
    checks.shape("labels", labels, tuple(logits.shape[:1]), "one for each example")
    labels = raw(checks.indices("labels", labels, logits.shape[1]))
    chosen = take_along_axis(log_softmax(logits, axis=1), labels.reshape(-1, 1), axis=1)  # (batch, 1)
    return _reduce(-chosen.reshape(-1), reduction)  # (cross-entropy-loss)


def _check_pair(name: str, x: Any, target: Any) -> None:
    """Raise unless both hold floating-point numbers, and are of one shape: nothing broadcasts."""
    checks.floating(name, x)
    checks.shape("target", checks.floating("target", target), tuple(x.shape), f"like {name}")


def _reduce(losses: Any, reduction: str) -> Any:
    checks.one_of("reduction", reduction, ("none", "mean", "sum"))
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()
