"""GaussianHeads: features to the mean and the log-variance of a diagonal Gaussian."""

from __future__ import annotations

from typing import Any

from ..backend import RandomStream, check_rng
from ..nn import Linear, Module


def mean_and_log_var(output: Any) -> tuple[Any, Any]:
    """A network's output as mean and log-variance: two as they are, or the halves of one along axis 1."""
    if isinstance(output, tuple):
        mean, log_var = output
        return mean, log_var
    half = output.shape[1] // 2
    return output[:, :half], output[:, half:]


class GaussianHeads(Module):
    """Two affine maps of the same features: ``(batch, features) -> mean, log_var``, each (batch, latent_dim).

    Parameters
    ----------
    in_features, latent_dim : int
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> GaussianHeads(256, 10)
    GaussianHeads(
      (mean): Linear(256, 10)
      (log_var): Linear(256, 10)
    )
    """

    def __init__(self, in_features: int, latent_dim: int, rng: RandomStream | None = None) -> None:
        if rng is not None:
            check_rng(rng)
        self.mean = Linear(in_features, latent_dim, rng=None if rng is None else rng.child("mean"))
        self.log_var = Linear(in_features, latent_dim, rng=None if rng is None else rng.child("log_var"))

    def forward(self, features: Any) -> tuple[Any, Any]:
        return self.mean(features), self.log_var(features)
