"""Noise schedules: how much of the data each of the steps t = 1 .. T replaces by noise.

A step keeps the share alpha_t = 1 - beta_t of the variance; t steps keep alpha_bar_t = alpha_1 ... alpha_t,
and alpha_bar_0 = 1. What counts in the end is the ratio of signal to noise,

    SNR(t) = alpha_bar_t / (1 - alpha_bar_t),                                                     (ddpm-snr)

which falls from large at t = 1 (an image with a little noise) to about 0 at t = T (noise alone).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import raw
from ...backend import Array, asarray, asnumpy, checks

LARGEST = 0.999  # of the betas that a formula gives: at 1 a step would forget all, and divide by 0


class Schedule:
    """The betas and what follows from them, each a float64 array (T,) on the host; entry t - 1 is step t's.

    Parameters
    ----------
    beta : array, shape (T,)
        The variance of the noise that each step adds, in (0, 1).

    Attributes
    ----------
    steps : int
        T.
    beta, alpha, alpha_bar, alpha_bar_before : array, shape (T,)
        beta_t, alpha_t, alpha_bar_t and alpha_bar_(t-1).
    signal, noise, snr : array, shape (T,)
        sqrt(alpha_bar_t), what x_t has of x_0; sqrt(1 - alpha_bar_t), what it has of noise; SNR(t).
    posterior_x0_share, posterior_xt_share : array, shape (T,)
        What the mean of q(x_(t-1)|x_t, x_0), equation ddpm-posterior-mean, has of x_0 and of x_t.
    posterior_variance, log_posterior_variance : array, shape (T,)
        Equation ddpm-posterior-variance: exactly 0 at t = 1, where its logarithm is minus infinity.
    log_beta, log_posterior_variance_clipped : array, shape (T,)
        The largest and the smallest log sigma_t^2 of the way back. The second is the posterior's, with the
        number of t = 2 at t = 1 as well (Ho et al. 2020, in their code).

    Raises
    ------
    TypeError, ValueError
        If the betas are not numbers in (0, 1), one for each step.

    Examples
    --------
    >>> schedule = Schedule([0.1, 0.5])
    >>> schedule.alpha_bar
    array([0.9 , 0.45])
    """

    def __init__(self, beta: Any) -> None:
        beta = asnumpy(beta)
        if beta.dtype.kind not in "fiu":
            raise TypeError(f"beta: got an array of {beta.dtype}, expected numbers between 0 and 1")
        if beta.ndim != 1 or len(beta) == 0:
            raise ValueError(f"beta: got shape {beta.shape}, expected (T,), one for each step")
        beta = beta.astype(np.float64)
        alpha = 1 - beta  # 1 for a beta lost in rounding: it would add no noise at all
        bad = ~((alpha > 0) & (alpha < 1))
        if bad.any():
            t = int(np.argmax(bad)) + 1
            raise ValueError(f"beta: got {beta[t - 1]} at t = {t}, expected a number in (0, 1)")
        self.steps = len(beta)
        self.beta, self.alpha, self.alpha_bar = beta, alpha, np.cumprod(alpha)
        self.alpha_bar_before = np.append(1.0, self.alpha_bar[:-1])
        self.signal, self.noise = np.sqrt(self.alpha_bar), np.sqrt(1 - self.alpha_bar)
        self.snr = self.alpha_bar / (1 - self.alpha_bar)  # (ddpm-snr)
        shrunk = (1 - self.alpha_bar_before) / (1 - self.alpha_bar)
        x0_share = np.sqrt(self.alpha_bar_before) * beta / (1 - self.alpha_bar)  # (ddpm-posterior-mean)
        self.posterior_x0_share = x0_share
        self.posterior_xt_share = np.sqrt(alpha) * shrunk  # (ddpm-posterior-mean)
        self.posterior_variance = shrunk * beta  # (ddpm-posterior-variance)
        with np.errstate(divide="ignore"):
            self.log_posterior_variance = np.log(self.posterior_variance)
        self.log_beta = np.log(beta)
        second = self.log_posterior_variance[1] if self.steps > 1 else self.log_beta[0]
        self.log_posterior_variance_clipped = np.append(second, self.log_posterior_variance[1:])
        self._on_device: dict[Any, Array] = {}

    def __repr__(self) -> str:
        return f"Schedule(T={self.steps}, alpha_bar_T={self.alpha_bar[-1]:.3g})"

    def alpha_bar_at(self, t: int) -> float:
        """alpha_bar_t for one t in 0 .. T, where alpha_bar_0 = 1."""
        t = checks.whole("t", t, 0, self.steps)
        return float(self.alpha_bar[t - 1]) if t else 1.0

    def at(self, name: str, t: Any, like: Any) -> Array:
        """The entries of one of the arrays at the times of a batch, to be multiplied with the batch.

        Parameters
        ----------
        name : str
            ``"beta"``, ``"signal"``, ...
        t : array of int, shape (batch,), or int
            In 1 .. T.
        like : array or Tensor, shape (batch, ...)
            Gives dtype, device and number of axes.

        Returns
        -------
        array, shape (batch, 1, ..., 1)

        Raises
        ------
        ValueError
            If a time is outside 1 .. T (seen in host memory only): 0 would be read as T.
        """
        checks.within("t", t, 1, self.steps)
        key = name, like.dtype, type(raw(like))
        if key not in self._on_device:  # copied once, not in every step
            self._on_device[key] = asarray(getattr(self, name).astype(like.dtype))
        return self._on_device[key][t - 1].reshape((-1, *(1,) * (like.ndim - 1)))  # (batch, 1, ..., 1)

    def starting_at(self, noise: float) -> Schedule:
        """The same schedule without its finest steps: the first ones up to `noise` become one.

        Where data come in levels, noise much finer than they are far apart hides nothing, and yet each such
        step costs the bound bits, unless the network rounds without fail. With half of the levels' distance,
        ``1 / (levels - 1)``, the rounding is left to p(x_0|x_1), whose business it is.

        Parameters
        ----------
        noise : float
            The least sqrt(1 - alpha_bar_1), in [0, 1).

        Returns
        -------
        Schedule
            Of as many steps or fewer, and the same alpha_bar where it has a step.
        """
        noise = checks.number("noise", noise, "[0, 1)")
        merged = min(int(np.sum(self.noise < noise)), self.steps - 1)  # (ddpm-merged-steps)
        return Schedule(np.append(1 - self.alpha_bar[merged], self.beta[merged + 1 :]))  # (ddpm-merged-steps)


def linear_schedule(T: int, first: float = 1e-4, last: float = 0.02) -> Schedule:
    """Betas that grow evenly (Ho et al. 2020, section 4).

        beta_t = (1000 / T) (first + (last - first) (t - 1) / (T - 1)).               (ddpm-linear-schedule)

    `first` and `last` are those of T = 1000; the factor keeps alpha_bar_T about the same for every T, as
    Nichol & Dhariwal's code does. With few steps (T < 21) it would carry the last betas beyond 1, which is no
    variance that a step can add: they are clipped to 0.999.

    Examples
    --------
    >>> print(f"{linear_schedule(1000).alpha_bar[-1]:.3g}")
    4.04e-05
    """
    T = checks.whole("T", T)
    last = checks.number("last", last, "(0, 1)")
    first = checks.number("first", first, f"(0, {last}]")
    return Schedule(np.minimum(1000 / T * np.linspace(first, last, T), LARGEST))  # (ddpm-linear-schedule)


def cosine_schedule(T: int, offset: float = 0.008) -> Schedule:
    """alpha_bar along a squared cosine (Nichol & Dhariwal 2021, eq. 17), which keeps the signal for longer.

        alpha_bar_t = f(t) / f(0),   f(t) = cos^2(pi/2 (t/T + s) / (1 + s)),          (ddpm-cosine-schedule)

        beta_t = min(1 - alpha_bar_t / alpha_bar_(t-1), 0.999).                          (ddpm-cosine-betas)

    The offset s keeps the first betas from
    being so small that the network sees no noise.

    Examples
    --------
    >>> cosine_schedule(1000).alpha_bar[499].round(2)
    np.float64(0.49)
    """
    T = checks.whole("T", T)
    offset = checks.number("offset", offset, "[0, 1)")
    f = np.cos(np.pi / 2 * (np.arange(T + 1) / T + offset) / (1 + offset)) ** 2  # (ddpm-cosine-schedule)
    return Schedule(np.minimum(1 - f[1:] / f[:-1], LARGEST))  # (ddpm-cosine-betas)
