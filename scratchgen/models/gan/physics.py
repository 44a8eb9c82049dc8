"""A GAN that knows physics: its samples are functions, and obey a law (Yang, Zhang & Karniadakis 2020).

Few sensors see a random function. A discriminator compares what they read in the data with what they would
read of the generated ones; between the sensors it sees nothing. There a law speaks, such as that of a damped
oscillator: whatever it says is zero, the *residual* r, is computed of the generated functions by
differentiating the generator itself with respect to the points, and costs:

    u'(x) = d/dx sum_i u(x_i),   since u(x_i) depends on x_i alone                          (physics-slope)
    P = E_z 1/M sum_i |r(x_i; z)|^2,   over M collocation points                         (physics-residual)
    L_G = (the game's loss of the generator) + weight P                                      (physics-loss)

The generator's step follows the gradient of P with respect to its weights: with a law of second order, a
third derivative.

What a sensor reads may itself be computed by the law: where -(k u')' = f holds, the generator makes k and u,
and f follows. Then the readings of k, u and f go to the discriminator together, and no residual is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd import Tensor, broadcast_to, grad, no_grad, raw, tensor
from ...backend import Array, RandomStream, asarray, checks
from ...nn import Module
from ...nn.context import evaluating
from .model import GAN
from .objectives import generator_loss


def slope(u: Any, points: Any) -> Any:
    """The derivatives of a field with respect to the points, differentiable again.

    Parameters
    ----------
    u : Tensor, shape (batch, points)
        Values each of which depends on its own point alone.
    points : Tensor, shape (batch, points, dim)
        Requiring gradients.

    Returns
    -------
    Tensor, shape (batch, points, dim)

    Examples
    --------
    >>> x = tensor([[[1.0], [2.0]]], requires_grad=True)
    >>> first = slope(x[..., 0] ** 3, x)[..., 0]
    >>> slope(first, x).numpy().ravel()
    array([ 6., 12.], dtype=float32)
    """
    checks.shape("u", u, tuple(points.shape[:-1]), "like points without their last axis")
    return grad(u.sum(), points, create_graph=True)[0]  # (physics-slope)


class PhysicsInformedGAN(GAN):
    """A GAN of functions that obey a law.

    It is trained as any other (`scratchgen.training.fit_adversarial`), on what the sensors read of the data.

    Parameters
    ----------
    generator : Module
        ``generator(z, points) -> (batch, points, fields)``, a function of each point by itself, such as
        `scratchgen.networks.FieldNetwork`.
    discriminator : Module
        The logit of "data", or the critic's score, of what the sensors read: ``(batch, readings)``.
    latent_dim : int
    residual : callable or None
        ``residual(fields, points, z)`` is what the law says is zero, an array of any shape that begins with
        the batch; `slope` differentiates fields. None leaves all to the readings.
    weight : float
        Of the residual's mean square in the generator's loss; in units of its own.
    sensors : array, shape (sensors, dim)
        Where the functions are seen.
    collocation : array, shape (points, dim), optional
        Where the law is asked for; at the sensors unless given.
    readings : callable, optional
        ``readings(fields, points, z) -> (batch, readings)``: what the sensors read, where that is not all
        fields at all sensors.
    objective, penalty_weight
        See `GAN`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.

    Examples
    --------
    Functions of one variable that shall fall as fast as they are large, seen at two points:

    >>> from scratchgen.networks import MLP, FieldNetwork
    >>> def decay(fields, points, z):
    ...     u = fields[..., 0]
    ...     return slope(u, points)[..., 0] + u
    >>> model = PhysicsInformedGAN(
    ...     FieldNetwork(4, 1, 1, [16]), MLP([2, 16, 1]), 4, decay, sensors=[[0.0], [1.0]]
    ... )
    >>> model.sample(3, RandomStream(0), points=np.linspace(0, 1, 5)[:, None]).shape
    (3, 5, 1)
    """

    def __init__(
        self,
        generator: Module,
        discriminator: Module,
        latent_dim: int,
        residual: Callable[[Any, Any, Any], Any] | None,
        weight: float = 1.0,
        *,
        sensors: Any,
        collocation: Any = None,
        readings: Callable[[Any, Any, Any], Any] | None = None,
        objective: str = "non-saturating",
        penalty_weight: float = 10.0,
    ) -> None:
        super().__init__(generator, discriminator, latent_dim, objective, penalty_weight)
        for name, function in {"residual": residual, "readings": readings}.items():
            if function is not None and not callable(function):
                raise TypeError(
                    f"{name}: got {type(function).__name__}, expected a function of fields, points and z"
                )
        self.residual, self.readings = residual, readings
        self.weight = checks.number("weight", weight, "[0, inf)")
        self.sensors = _places("sensors", sensors)
        self.collocation = self.sensors if collocation is None else _places("collocation", collocation)
        if self.collocation.shape[1] != self.sensors.shape[1]:
            raise ValueError(
                f"collocation: got points of {self.collocation.shape[1]} numbers, "
                f"expected {self.sensors.shape[1]}, as sensors have"
            )

    def fields(self, z: Any, places: Any) -> tuple[Any, Tensor]:
        """The generated functions at the places, (batch, places, fields), and the points they depend on.

        Parameters
        ----------
        z : array, shape (batch, latent_dim)
        places : array, shape (places, dim)
        """
        shape = (len(z), *places.shape)
        points = tensor(broadcast_to(asarray(places, self._dtype()), shape), requires_grad=True)
        fields = self.generator(z, points)
        if fields.ndim != 3 or tuple(fields.shape[:2]) != shape[:2]:
            checks.shape("generator(z, points)", fields, shape[:2], "and the number of fields after them")
        return fields, points

    def forward(self, z: Any, labels: Any = None) -> Any:
        """What the sensors read of the functions that belong to the noise z: (batch, readings)."""
        fields, points = self.fields(z, self.sensors)
        read = fields.reshape((len(z), -1)) if self.readings is None else self.readings(fields, points, z)
        if read.ndim != 2 or len(read) != len(z):
            raise ValueError(f"readings: gave the shape {tuple(read.shape)}, expected ({len(z)}, readings)")
        return read

    def _fakes(self, n: int, rng: RandomStream, labels: Any) -> Array:
        return raw(self(self._noise(n, rng)))  # with a history: readings may differentiate

    def law(self, z: Any) -> Any:
        """P, how far the functions of the noise z are from obeying: the mean square of the residual.

        Parameters
        ----------
        z : array, shape (batch, latent_dim)

        Raises
        ------
        ValueError
            If the residual's shape does not begin with the batch and the collocation points.
        """
        if self.residual is None:
            return 0.0
        fields, points = self.fields(z, self.collocation)
        r = self.residual(fields, points, z)
        expected = (len(z), len(self.collocation))
        if tuple(getattr(r, "shape", ()))[:2] != expected:
            given = tuple(getattr(r, "shape", ())) or type(r).__name__
            raise ValueError(f"residual: gave {given}, expected {expected}, and more axes for several laws")
        return (r * r).sum() / (len(z) * len(self.collocation))  # (physics-residual)

    def generator_loss(self, n: int, rng: RandomStream, labels: Any = None) -> Any:
        """What the generator minimises: to deceive the discriminator, and to obey the law (physics-loss)."""
        z = self._noise(checks.whole("n", n), rng)
        deception = generator_loss(self.logits(self(z)), self.objective)
        return deception + self.weight * self.law(z)  # (physics-loss)

    def sample(self, n: int, rng: RandomStream, labels: Any = None, *, points: Any = None) -> Array:
        """`n` functions, at the sensors or at other `points`.

        Parameters
        ----------
        n : int
        rng : RandomStream
        points : array, shape (points, dim), optional

        Returns
        -------
        array, shape (n, points, fields)
        """
        checks.labels(labels, checks.whole("n", n, 0), None)
        places = self.sensors if points is None else _places("points", points)
        with no_grad(), evaluating(self.generator):
            return raw(self.fields(self._noise(n, rng), places)[0])


def _places(name: str, given: Any) -> np.ndarray:
    """Points on the host, (points, dim), of finite numbers."""
    places = np.asarray(given)
    if places.ndim != 2 or not places.size or places.dtype.kind not in "fiu":
        raise ValueError(f"{name}: got the shape {places.shape}, expected numbers of shape (points, dim)")
    checks.finite(name, places)
    return places.astype(np.float64)
