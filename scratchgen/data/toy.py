r"""Four worlds in the plane whose density is known, so that a model's can be compared with it.

==================  ==================================================================================
`eight_gaussians`   eight small bumps on a circle: which of them does a GAN forget?
`moons`             two half circles that embrace each other, blurred by Gaussian noise
`swirl`             a spiral of one and a half turns, blurred
`pinwheel`          five bars, bent the more the further out
==================  ==================================================================================

Each is made by a function and has ``sample(n, rng)`` and ``log_prob(points)``. The first and the last have a
density in closed form. A blurred curve c(t), with t uniform on [0, 1], has a one-dimensional integral, ::

    p(x) = integral of p(t) p(x|t) dt,    p(t) = 1 on [0, 1],   p(x|t) = N(x; c(t), sigma^2 I)
                                                                                         (latent-density)

which Gauss-Legendre quadrature gives to within rounding, since the integrand is smooth and wider than the
nodes' distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..autograd import logsumexp
from ..backend import Array, RandomStream, asarray, asnumpy, check_rng, checks

Floats = NDArray[np.float64]


class ToyWorld(Protocol):
    """A distribution in the plane that can be sampled and whose density is known."""

    def sample(self, n: int, rng: RandomStream) -> Array:
        """Draw ``n`` independent points, shape (n, 2), float32, on the current device."""

    def log_prob(self, points: Any) -> Array:
        """Return the log density at points of shape (n, 2), in nats, shape (n,), float64."""


def _check_points(points: Any) -> Floats:
    return checks.shape("points", np.asarray(asnumpy(points), np.float64), ("n", 2))


def _log_normal(squared_distances: Floats, sigma: float) -> Floats:
    """Return the log density of a normal in the plane at squared distances from its mean."""
    return -squared_distances / (2 * sigma**2) - math.log(2 * math.pi * sigma**2)


@dataclass(frozen=True)
class GaussianRing:
    """Equal Gaussians whose centres are evenly spaced on a circle."""

    modes: int
    radius: float
    sigma: float

    @property
    def centres(self) -> Floats:
        """The means, shape (modes, 2)."""
        angles = 2 * math.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def sample(self, n: int, rng: RandomStream) -> Array:
        """Draw ``n`` independent points, shape (n, 2), float32, on the current device."""
        modes = asnumpy(check_rng(rng).integers(0, self.modes, (n,)))
        noise = asnumpy(rng.normal((n, 2), dtype=np.float64))
        return asarray((self.centres[modes] + self.sigma * noise).astype(np.float32))

    def log_prob(self, points: Any) -> Array:
        """Return the log density at points of shape (n, 2), in nats, shape (n,)."""
        offsets = _check_points(points)[:, None] - self.centres
        logs = _log_normal(np.sum(offsets**2, axis=2), self.sigma)
        return asarray(logsumexp(logs, axis=1) - math.log(self.modes))


@dataclass(frozen=True)
class BlurredCurves:
    """A point on one of several curves, chosen evenly, plus Gaussian noise.

    ``curves[i](t)`` maps t, shape (n,), uniform on [0, 1], to points, shape (n, 2).
    """

    curves: tuple[Callable[[Floats], Floats], ...]
    sigma: float
    nodes: tuple[Floats, Floats] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Nodes half a sigma apart along the longest curve: the quadrature then converges to within rounding.
        fine = np.linspace(0, 1, 1001)
        lengths = [np.linalg.norm(np.diff(curve(fine), axis=0), axis=1).max() * 1000 for curve in self.curves]
        t, weights = np.polynomial.legendre.leggauss(math.ceil(2 * max(lengths) / self.sigma) + 64)
        object.__setattr__(self, "nodes", ((t + 1) / 2, weights / 2))

    def sample(self, n: int, rng: RandomStream) -> Array:
        """Draw ``n`` independent points, shape (n, 2), float32, on the current device."""
        chosen = asnumpy(check_rng(rng).integers(0, len(self.curves), (n,)))
        t = asnumpy(rng.uniform((n,), dtype=np.float64))
        on_curves = np.stack([curve(t) for curve in self.curves])[chosen, np.arange(n)]
        noise = asnumpy(rng.normal((n, 2), dtype=np.float64))
        return asarray((on_curves + self.sigma * noise).astype(np.float32))

    def log_prob(self, points: Any) -> Array:
        """Return the log density at points of shape (n, 2), in nats, shape (n,)."""
        array = _check_points(points)
        t, weights = self.nodes
        centres = np.concatenate([curve(t) for curve in self.curves])
        shares = np.tile(weights / len(self.curves), len(self.curves))
        # |x - c|^2 coordinate by coordinate needs half the memory of an array of differences.
        squares = (array[:, :1] - centres[:, 0]) ** 2 + (array[:, 1:] - centres[:, 1]) ** 2
        terms = _log_normal(squares, self.sigma) + np.log(shares)
        return asarray(logsumexp(terms, axis=1))  # (latent-density)


@dataclass(frozen=True)
class Pinwheel:
    r"""Gaussian bars, each turned by an angle that grows with the distance from the middle.

    A point of the bar, ``v ~ N((1, 0), diag(radial^2, tangential^2))``, becomes ``x = f(v)``, which is
    ``R(2 pi c / arms + twist |v|) v``. A rotation by an angle that depends on the length alone keeps lengths
    and areas, so the density is that of the bar at the point turned back, ::

        p(x) = p_v(f^-1(x)) |det d f^-1(x) / dx|,     where the determinant is 1        (change-of-variables)

    averaged over the arms c. (Johnson et al. 2016 turn by an angle that grows with the
    first coordinate, which has no such inverse.)
    """

    arms: int
    radial: float
    tangential: float
    twist: float

    def _turned(self, points: Floats, arms: NDArray[np.int64], direction: int) -> Floats:
        lengths = np.linalg.norm(points, axis=-1)
        angles = direction * (2 * math.pi * arms / self.arms + self.twist * lengths)
        x, y = points[..., 0], points[..., 1]
        return np.stack(
            [np.cos(angles) * x - np.sin(angles) * y, np.sin(angles) * x + np.cos(angles) * y], axis=-1
        )

    def sample(self, n: int, rng: RandomStream) -> Array:
        """Draw ``n`` independent points, shape (n, 2), float32, on the current device."""
        arms = asnumpy(check_rng(rng).integers(0, self.arms, (n,)))
        noise = asnumpy(rng.normal((n, 2), dtype=np.float64))
        bars = np.array([1.0, 0.0]) + noise * np.array([self.radial, self.tangential])
        return asarray(self._turned(bars, arms, direction=1).astype(np.float32))

    def log_prob(self, points: Any) -> Array:
        """Return the log density at points of shape (n, 2), in nats, shape (n,)."""
        bars = self._turned(_check_points(points)[:, None], np.arange(self.arms), direction=-1)
        squares = ((bars[..., 0] - 1) / self.radial) ** 2 + (bars[..., 1] / self.tangential) ** 2
        normaliser = math.log(2 * math.pi * self.radial * self.tangential * self.arms)
        return asarray(logsumexp(-squares / 2, axis=1) - normaliser)  # (change-of-variables)


def eight_gaussians(radius: float = 2.0, sigma: float = 0.1) -> GaussianRing:
    """Return the world of eight Gaussians on a circle.

    Examples
    --------
    >>> world = eight_gaussians()
    >>> print(f"{asnumpy(world.log_prob([[2.0, 0.0]]))[0]:.4f}")  # -log(8 * 2 pi 0.01)
    0.6879
    """
    return GaussianRing(
        8, checks.number("radius", radius, "(0, inf)"), checks.number("sigma", sigma, "(0, inf)")
    )


def moons(sigma: float = 0.1) -> BlurredCurves:
    """Return the world of two half circles of radius 1, interleaved, about the origin."""
    sigma = checks.number("sigma", sigma, "(0, inf)")

    def upper(t: Floats) -> Floats:
        return np.stack([np.cos(math.pi * t) - 0.5, np.sin(math.pi * t) - 0.25], axis=1)

    return BlurredCurves((upper, lambda t: -upper(t)), sigma)


def swirl(sigma: float = 0.08) -> BlurredCurves:
    """Return the world of a spiral of one and a half turns, of radius 0.5 to 2, even in its angle."""
    sigma = checks.number("sigma", sigma, "(0, inf)")

    def spiral(t: Floats) -> Floats:
        angle, radius = 3 * math.pi * t, 0.5 + 1.5 * t
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    return BlurredCurves((spiral,), sigma)


def pinwheel(arms: int = 5, radial: float = 0.3, tangential: float = 0.1, twist: float = 1.5) -> Pinwheel:
    """Return the world of bent bars; ``twist`` is in radians per unit of length."""
    radial = checks.number("radial", radial, "(0, inf)")
    tangential = checks.number("tangential", tangential, "(0, inf)")
    return Pinwheel(checks.whole("arms", arms), radial, tangential, checks.number("twist", twist))


WORLDS: dict[str, Callable[[], ToyWorld]] = {
    "eight_gaussians": eight_gaussians,
    "moons": moons,
    "swirl": swirl,
    "pinwheel": pinwheel,
}
