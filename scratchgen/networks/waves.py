"""WaveNetwork: functions of one number as sums of waves, whose amplitudes the noise decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import cat, cos, sin
from ..backend import RandomStream, asarray, checks
from ..nn import LeakyReLU, Linear, Module
from .mlp import MLP


class WaveNetwork(Module):
    r"""One noise chooses smooth functions of a number: ``(z, points) -> (batch, points, fields)``.

    Equation field-waves:

    .. math:: u(x; z) = a_0(z) + \sum_{n=1}^N \frac1{n^2} \Bigl( a_n(z) \sin \frac{2 \pi n x}{L}
              + b_n(z) \cos \frac{2 \pi n x}{L} \Bigr)

    The amplitudes a, b are what a linear layer and a network say of z, added: of normal noise the one makes a
    Gaussian process, the other bends it. Where they begin equally large, u'' has as much of every wave. A
    point goes through no network, however often the functions are differentiated.

    Parameters
    ----------
    latent_dim : int
        Of the noise z, (batch, latent_dim).
    fields : int
        How many functions of the point there are; points are (batch, points, 1).
    waves : int
        N, of sines and of cosines each.
    period : float
        L. Longer than the interval that points are from, unless the functions are periodic on it.
    hidden : sequence of int
        The widths of the hidden layers.
    activation : callable
        Makes the module between two layers; it may have kinks, since no point goes through it.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.

    Examples
    --------
    >>> z, points = np.zeros((5, 3), np.float32), np.zeros((5, 7, 1), np.float32)
    >>> WaveNetwork(3, 2, waves=4, period=2.0, hidden=[16])(z, points).shape
    (5, 7, 2)
    """

    def __init__(
        self,
        latent_dim: int,
        fields: int,
        waves: int,
        period: float,
        hidden: Sequence[int],
        activation: Callable[[], Module] = LeakyReLU,
        rng: RandomStream | None = None,
    ) -> None:
        rng = RandomStream(0, "waves") if rng is None else rng
        self.fields, self.waves = checks.whole("fields", fields), checks.whole("waves", waves)
        self.period = checks.number("period", period, "(0, inf)")
        amplitudes = fields * (2 * waves + 1)
        self.straight = Linear(checks.whole("latent_dim", latent_dim), amplitudes, rng=rng.child("straight"))
        self.bent = MLP([latent_dim, *hidden, amplitudes], activation, rng=rng.child("bent"))

    def forward(self, z: Any, points: Any) -> Any:
        checks.shape("points", points, (len(z), "points", 1))
        n = np.arange(1, self.waves + 1)
        angles = points * asarray(2 * np.pi * n / self.period, points.dtype)  # (field-waves)
        waves = cat([0 * points + 1, sin(angles), cos(angles)], axis=2)  # (batch, points, 2 N + 1)
        sizes = asarray(np.concatenate([[1], 1 / n**2, 1 / n**2]), points.dtype)  # (field-waves)
        said = (self.straight(z) + self.bent(z)).reshape((len(z), len(sizes), self.fields))
        return waves @ (sizes[:, None] * said)  # (field-waves)
