"""The gradient penalty, by which a critic's slope is held near 1 (Gulrajani et al. 2017).

The best critic of wgan-duality has a slope of 1 along the straight lines on which the best plan carries mass
(proposition 1). Which these are is not known. As a heuristic the slope is asked for on lines between random
pairs,

    x' = u x + (1 - u) G(z),   one u ~ U[0, 1] for each example,                    (wgan-interpolation)

and every deviation from 1, in either direction, costs:

    P = E (|grad f(x')| - 1)^2                                                        (wgan-gp-penalty)
    L_f = E f(G(z)) - E f(x) + lambda P,   lambda = 10                                   (wgan-gp-loss)

The norm is over all dimensions of an example at once, pixels and channels alike. P is a function of the
critic's weights by way of its derivative with respect to its input, so to minimise it the engine
differentiates twice.

The penalty is soft: where samples are the data shifted by a distance W, a critic of slope a has the loss
-a W + lambda (a - 1)^2, which is least not at 1 but at

    a = 1 + W / (2 lambda),                                                             (wgan-gp-slope)

so with lambda = 10 the distance that is logged is there too large by W / 20 of itself.

The critic may have no batch norm: with it f(x') depends on the whole batch, and the gradient of the sum of
all scores with respect to one example is no longer the slope of any function of that example. Layer or group
norm look at one example at a time, and may stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd import Tensor, grad, raw, sqrt
from ...autograd.tensor import recording, recording_is
from ...backend import Array, RandomStream
from ...nn import BatchNorm1d, BatchNorm2d, Module


def refuse_batch_norm(critic: Module) -> None:
    """Raise if the critic holds a batch norm.

    Raises
    ------
    ValueError
        Naming the layer.
    """
    for path, layer in critic.named_modules():
        if isinstance(layer, BatchNorm1d | BatchNorm2d):
            raise ValueError(
                f"discriminator: got a {type(layer).__name__} ({path}) with 'wasserstein-gp', expected none: "
                "the penalty needs scores that depend on one example each; take LayerNorm or GroupNorm"
            )


def interpolate(real: Array, fake: Array, rng: RandomStream) -> Array:
    """A point on the line between each pair of examples, equation wgan-interpolation.

    Parameters
    ----------
    real, fake : array, shape (batch, ...)
    rng : RandomStream
        Of the one weight for each pair, uniform on [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> mixed = interpolate(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32), RandomStream(0))
    >>> bool((mixed == mixed[:, :1]).all()), mixed.shape
    (True, (2, 3))
    """
    weight = rng.uniform((len(real), *(1,) * (real.ndim - 1)), real.dtype)
    return fake + weight * (real - fake)  # (wgan-interpolation)


def slopes(critic: Callable[[Tensor], Any], x: Array) -> Any:
    """``|grad f(x)|``, the norm over all dimensions of an example: shape (batch,).

    Equation critic-slope; differentiable with respect to the critic's parameters, unless within
    ``sg.no_grad()``. At 0 the engine takes 0 as the derivative of the root.
    """
    differentiable = recording.enabled
    with recording_is():
        point = Tensor(x, requires_grad=True)
        # An example's score depends on no other example, so the gradient of the sum holds that of each.
        (slope,) = grad(critic(point).sum(), point, create_graph=differentiable)  # (critic-slope)
    slope = slope.reshape((len(x), -1))  # (batch, dimensions)
    return sqrt((slope * slope).sum(axis=1))  # (critic-slope)


def gradient_penalty(critic: Callable[[Tensor], Any], real: Array, fake: Array, rng: RandomStream) -> Any:
    """P of wgan-gp-penalty, by one interpolated point for each pair: a scalar, not yet times lambda.

    Parameters
    ----------
    critic : callable
        ``(batch, ...) -> (batch,)``, each score of its own example only.
    real, fake : array, shape (batch, ...)
    rng : RandomStream
        Of the interpolation.

    Examples
    --------
    A linear critic has the same slope everywhere, here |(3, 4)| = 5:

    >>> import numpy as np
    >>> def critic(x):
    ...     return x @ np.array([3.0, 4.0])
    >>> round(gradient_penalty(critic, np.ones((2, 2)), np.zeros((2, 2)), RandomStream(0)).item(), 6)
    16.0
    """
    slope = slopes(critic, interpolate(raw(real), raw(fake), rng))
    return ((slope - 1) ** 2).mean()  # (wgan-gp-penalty)
