"""What a grey pixel can mean to a likelihood: the chance of a one, or a bin of the real line."""

from __future__ import annotations

from ..backend import Array, RandomStream, asarray, check_rng, checks


def binarise(x: Array, rng: RandomStream) -> Array:
    """Draw black and white pixels whose chance of being white is the grey value: ``b ~ Bernoulli(x)``.

    Drawn anew for every batch ("dynamic binarisation"), it makes the Bernoulli likelihood a true likelihood,
    and keeps a model from memorising one draw. On average it changes nothing: E[b] = x.

    Parameters
    ----------
    x : array
        Grey values in [0, 1], floating point, of any shape.
    rng : RandomStream

    Returns
    -------
    array
        Zeros and ones, of the shape and dtype of `x`, on the current device.

    Raises
    ------
    TypeError
        If `x` is not floating point.
    ValueError
        If a value of `x` on the host is outside [0, 1] or not a number.

    References
    ----------
    Salakhutdinov, R., & Murray, I. (2008), "On the quantitative analysis of deep belief networks", section 5.

    Examples
    --------
    >>> import numpy as np
    >>> binarise(np.float32([0, 1, 1, 0]), RandomStream(0))
    array([0., 1., 1., 0.], dtype=float32)
    """
    checks.within("x", checks.floating("x", x), 0, 1)
    return check_rng(rng).bernoulli(asarray(x))  # (binarisation)


def dequantise(x: Array, levels: int, rng: RandomStream) -> Array:
    """Spread every grey level evenly over its own bin of [0, 1].

    With l = (levels - 1) x, the whole grey level, and u uniform on [0, 1),

        y = (l + u) / levels.

    The mean log-density of y is then a lower bound of the log-probability of l, up to the log of the bin's
    width: with P(l) the density's integral over the bin, for each pixel, ::

        log P(l) >= E_u log p(y) - log levels                                      (dequantisation-bound)

    Without it, a density can grow without bound on the few values that grey pixels take.

    Parameters
    ----------
    x : array
        Pixels in [0, 1], each a multiple of ``1 / (levels - 1)``, floating point, of any shape.
    levels : int
        The number of grey levels.
    rng : RandomStream

    Returns
    -------
    array
        Of the shape and dtype of `x`, in [0, 1], on the current device.

    Raises
    ------
    TypeError
        If `x` is not floating point.
    ValueError
        If `levels` is no whole number, 2 or more, or a value of `x` on the host is outside [0, 1].

    References
    ----------
    Theis, L., van den Oord, A., & Bethge, M. (2016), "A note on the evaluation of generative models",
    arXiv:1511.01844, section 3.1.
    """
    checks.within("x", checks.floating("x", x), 0, 1)
    levels = checks.whole("levels", levels, 2)
    x = asarray(x)
    u = check_rng(rng).uniform(x.shape, x.dtype)
    return (x * (levels - 1) + u) / levels  # (dequantisation-bound)
