"""Gradient checking: the derivatives the engine computes, held against the definition of a derivative.

A central difference, and two of them extrapolated as Richardson did: ::

    D(h) = (f(x + h v) - f(x - h v)) / 2h  =  f'(x) v + O(h^2)                         (central-difference)
    (4 D(h/2) - D(h)) / 3                  =  f'(x) v + O(h^4)                   (richardson-extrapolation)

In float64 with h = 1e-3 the second is good to about ten digits, where the first has seven.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backend import Array, RandomStream, asarray, asnumpy, checks
from .backward import grad
from .tensor import Tensor

STEP = 1e-3
RELATIVE_ERROR = 1e-7
ENTRIES = 64  # up to so many numbers every entry of the Jacobian is compared, beyond it random projections
PROJECTIONS = 16


class GradientError(AssertionError):
    """A derivative that does not agree with finite differences."""


def check_gradients(f: Callable[..., Tensor], *inputs: Any, order: int = 2, seed: int = 0) -> float:
    """Compare the derivatives of `f`, up to an order, with extrapolated central differences in float64.

    Parameters
    ----------
    f : callable
        Takes as many Tensors as there are `inputs` and returns one Tensor; it must be smooth near them.
    *inputs : array_like
        Where to check; converted to float64.
    order : int
        The highest derivative to check. Above the first, the function checked is
        ``(inputs, g) -> g^T df/dinput``, with the cotangent g a variable too.
    seed : int
        Of the random cotangents and directions.

    Returns
    -------
    float
        The largest error found, relative to the larger of the two values (and to 1e-3 of the largest
        derivative).

    Raises
    ------
    GradientError
        Naming the order, the input, the index and both values.

    Examples
    --------
    >>> from scratchgen.autograd import exp
    >>> check_gradients(lambda x, y: exp(x) * y, [0.1, 0.2], [1.0, 2.0]) < 1e-7
    True
    """
    order = checks.whole("order", order)
    arrays = [asarray(asnumpy(x), np.float64) for x in inputs]
    return _check(f, arrays, order, 1, RandomStream(seed, "check_gradients"))


def _check(f: Callable[..., Tensor], arrays: list[Array], order: int, level: int, rng: RandomStream) -> float:
    variables = [Tensor(x, requires_grad=True) for x in arrays]
    y = _evaluate(f, variables)
    cotangents = _probes(y.shape, rng.child("cotangents"))
    gradients = [grad(y, variables, asarray(g)) for _, g in cotangents]
    worst = 0.0
    for i in range(len(arrays)):
        share = [(name, g, asnumpy(found[i])) for (name, g), found in zip(cotangents, gradients, strict=True)]
        worst = max(worst, _compare(f, arrays, i, share, level, rng.child("directions", i)))
    if level < order:
        cotangent = rng.child("cotangent").normal(y.shape, np.float64, batch_axis=None)
        for i in range(len(arrays)):

            def vjp(*variables: Tensor, position: int = i) -> Tensor:
                *xs, g = variables
                return grad(f(*xs), [xs[position]], g, create_graph=True)[0]

            worst = max(
                worst, _check(vjp, [*arrays, cotangent], order, level + 1, rng.child("order", level + 1, i))
            )
    return worst


def _evaluate(f: Callable[..., Tensor], variables: Sequence[Tensor]) -> Tensor:
    return checks.instance("result of f", f(*variables), Tensor)


def _probes(shape: tuple[int, ...], rng: RandomStream) -> list[tuple[str, np.ndarray]]:
    """Vectors to project on, with names: every unit vector of a small shape, random ones of a larger."""
    size = math.prod(shape)
    if size <= ENTRIES:
        indices = np.ndindex(*shape)
        return [
            (f"index {index}", unit.reshape(shape)) for index, unit in zip(indices, np.eye(size), strict=True)
        ]
    return [
        (f"random projection {i}", asnumpy(rng.normal(shape, np.float64, batch_axis=None)))
        for i in range(PROJECTIONS)
    ]


def _compare(
    f: Callable[..., Tensor],
    arrays: list[Array],
    i: int,
    share: list[tuple[str, np.ndarray, np.ndarray]],
    level: int,
    rng: RandomStream,
) -> float:
    """The largest error of <g, df/dx_i v>, over all cotangents g (with their gradients) and directions v."""
    worst = 0.0
    for place, v in _probes(arrays[i].shape, rng):
        slope = _slope(f, arrays, i, v)
        for name, g, gradient in share:
            engine, difference = float(np.sum(gradient * v)), float(np.sum(g * slope))
            floor = 1e-3 * float(np.max(np.abs(gradient))) + 1e-4
            error = abs(engine - difference) / max(abs(engine), abs(difference), floor)
            if not error <= RELATIVE_ERROR:
                raise GradientError(
                    f"order {level}: the derivative of the result at {name} with respect to input {i} at "
                    f"{place} is {engine!r} by the engine, but {difference!r} by finite differences "
                    f"(relative error {error:.1e}, allowed {RELATIVE_ERROR:.0e})"
                )
            worst = max(worst, error)
    return worst


def _slope(f: Callable[..., Tensor], arrays: list[Array], i: int, v: np.ndarray) -> np.ndarray:
    """d/ds f(..., x_i + s v, ...) at s = 0."""
    direction = asarray(v)

    def along(s: float) -> np.ndarray:
        moved = [x + s * direction if j == i else x for j, x in enumerate(arrays)]
        return asnumpy(_evaluate(f, [Tensor(x, requires_grad=True) for x in moved]).data)

    return extrapolated(along, STEP)


def central_difference(along: Callable[[float], Any], h: float) -> Any:
    """D(h), equation central-difference, of a function of one number."""
    return (along(h) - along(-h)) / (2 * h)  # (central-difference)


def extrapolated(along: Callable[[float], Any], h: float) -> Any:
    """The derivative at 0, by equation richardson-extrapolation."""
    return (
        4 * central_difference(along, h / 2) - central_difference(along, h)
    ) / 3  # (richardson-extrapolation)
