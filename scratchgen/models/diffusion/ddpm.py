"""Denoising diffusion probabilistic model (Ho, Jain & Abbeel 2020).

Adding noise is a fixed process (`process`), taking it away is learnt. A network sees x_t and t and predicts
the noise in it, the data, or v (`prediction`); that gives p(x_(t-1)|x_t) (`reverse`), and starting from pure
noise T such steps give a sample (`sampling`), as do fewer steps of another process (`ddim`).

Trained is the squared error L_simple. Where the network also chooses the variance, which L_simple does not
see, the bound is added (Nichol & Dhariwal 2021, eq. 16):

    L_hybrid = L_simple + lambda L_vlb,   lambda = 0.001,                                 (ddpm-hybrid-loss)

with the predicted mean held fixed in L_vlb, which is T times one of its T terms on average.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, check_rng
from ...distributions import Normal, sum_per_example
from ...nn.module import check_size, evaluating
from ..inputs import check_draw
from .bound import bound_terms, prior_kl
from .ddim import ddim_times
from .denoiser import Denoiser
from .guidance import drop_labels
from .inputs import check_data, check_eta, check_guidance, check_labels, check_times
from .prediction import prediction_target, x0_from_prediction
from .process import posterior_mean, q_posterior, q_sample
from .reverse import reverse_log_var
from .sampling import last, steps_back


class DDPM(Denoiser):
    """A network that takes noise away, and the schedule by which it was added.

    Parameters
    ----------
    network : Module or callable
        ``network(xt, t)``, with t an int array (batch,) in 1 .. T, gives the prediction, of the shape of
        `xt`; with the learned variance, twice as many channels (or features): the second half are the
        fractions f of ddpm-learned-variance.
    schedule : Schedule
        Such as ``cosine_schedule(1000)``.
    shape : tuple of int
        One example's: (features,) or (channels, height, width).
    variance : {"fixed-small", "fixed-large", "learned"}
    prediction : {"noise", "x0", "v"}
        What the network predicts.
    levels : int, optional
        Grey levels of the data, scaled to [-1, 1], whose probability `bits_per_dim` counts; 256 for images
        unless given. Vectors have a density instead, unless `levels` are given. With levels, the x_0 that is
        predicted is kept within [-1, 1], but while training, when it would cut off the gradient.
    classes : int, optional
        How many labels there are. The network is then called as ``network(xt, t, labels)`` and has to know
        ``classes + 1`` of them: the last means "none".
    label_dropout : float
        With what probability training replaces a label by "none".
    bound_weight : float
        Lambda of ddpm-hybrid-loss.

    Examples
    --------
    >>> from scratchgen.models.diffusion import cosine_schedule
    >>> from scratchgen.networks import UNet
    >>> model = DDPM(UNet(1, width=8, multipliers=(1, 2)), cosine_schedule(100), shape=(1, 8, 8))
    >>> model.ddim_sample(3, RandomStream(0), steps=5, eta=0.0).shape
    (3, 1, 8, 8)
    """

    def q_sample(self, x0: Any, t: Array, eps: Any) -> Any:
        """x_t from x_0 and noise: equation ddpm-q-sample.

        Parameters
        ----------
        x0, eps : array, shape (batch, *shape)
        t : array of int, shape (batch,)
            In 1 .. T; one number serves all.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong shape or type, a time is outside 1 .. T, or images outside [-1, 1].
        """
        t = self._check(x0, t)
        check_data(eps, self.shape, batch=len(x0), name="eps")
        return q_sample(self.schedule, x0, t, eps)

    def q_posterior(self, x0: Any, xt: Any, t: Array) -> Normal:
        """q(x_(t-1)|x_t, x_0), equations ddpm-posterior-mean and ddpm-posterior-variance: a Normal."""
        t = self._check(x0, t)
        check_data(xt, self.shape, batch=len(x0), name="xt")
        return q_posterior(self.schedule, x0, xt, t)

    def loss(self, x0: Array, rng: RandomStream, labels: Array | None = None) -> Any:
        """L_simple, equation ddpm-simple-loss; with the learned variance L_hybrid. Averaged over the batch.

        Parameters
        ----------
        x0 : array, shape (batch, *shape)
            Images within [-1, 1].
        rng : RandomStream
            Of a time and the noise for each example.
        labels : array of int, shape (batch,), optional
            For a model with `classes`; left out, none has a label.
        """
        return self.loss_terms(x0, rng, labels)["loss"]

    def loss_terms(self, x0: Array, rng: RandomStream, labels: Array | None = None) -> dict[str, Any]:
        """``loss`` as in `loss`; with the learned variance also its parts ``simple`` and ``bound``."""
        check_rng(rng)
        t = rng.integers(1, self.schedule.steps + 1, (len(check_data(x0, self.shape, self.levels)),))
        labels = check_labels(labels, self.classes, len(x0))
        if labels is not None and self.classes is not None:
            labels = drop_labels(labels, self.classes, self.label_dropout, rng)
        eps = rng.normal(x0.shape, x0.dtype)
        xt = q_sample(self.schedule, x0, t, eps)
        predicted, fraction = self.run(xt, t, labels)
        simple = self._squared_error(predicted, x0, eps, t).mean()
        if fraction is None:
            return {"loss": simple}
        guess = x0_from_prediction(self.prediction, self.schedule, raw(predicted), xt, t)  # no gradient
        terms = self._bound_terms(guess, fraction, x0, xt, t)
        bound = terms.mean() * self.schedule.steps + prior_kl(self.schedule, x0).mean()
        return {"loss": simple + bound * self.bound_weight, "simple": simple, "bound": bound}

    def bound_loss(self, x0: Array, rng: RandomStream, labels: Array | None = None) -> Any:
        """An estimate of the bound, equation ddpm-bound, from one time for each example; to be trained on.

        It is what L_simple leaves the weights out of: T times the term of a random t, plus the prior's KL,
        averaged over the batch, in nats per example. Its gradients reach mean and variance alike.
        """
        check_rng(rng)
        t = rng.integers(1, self.schedule.steps + 1, (len(check_data(x0, self.shape, self.levels)),))
        labels = check_labels(labels, self.classes, len(x0))
        xt = q_sample(self.schedule, x0, t, rng.normal(x0.shape, x0.dtype))
        predicted, fraction = self.run(xt, t, labels)
        guess = x0_from_prediction(self.prediction, self.schedule, predicted, xt, t)
        terms = self._bound_terms(guess, fraction, x0, xt, t)
        return terms.mean() * self.schedule.steps + prior_kl(self.schedule, x0).mean()

    def _squared_error(self, predicted: Any, x0: Array, eps: Array, t: Array) -> Any:
        error = predicted - prediction_target(self.prediction, self.schedule, x0, eps, t)
        return sum_per_example(error * error)  # (batch,)

    def _bound_terms(self, guess: Any, fraction: Any, x0: Array, xt: Array, t: Array) -> Any:
        mean = posterior_mean(self.schedule, guess, xt, t)
        log_var = reverse_log_var(self.variance, self.schedule, fraction, t, xt)
        return bound_terms(self.schedule, x0, xt, t, mean, log_var, self.levels)

    def terms_at(
        self, x0: Array, t: Array, rng: RandomStream, labels: Array | None = None
    ) -> dict[str, Array]:
        """The terms of both losses at given times: ``simple`` and ``bound``, raw, each (batch,), in nats.

        Parameters
        ----------
        t : array of int, shape (batch,)
            In 1 .. T; one number serves all.
        rng : RandomStream
            Of the noise.
        """
        check_rng(rng)
        t = self._check(x0, t)
        labels = check_labels(labels, self.classes, len(x0))
        eps = rng.normal(x0.shape, x0.dtype)
        xt = q_sample(self.schedule, x0, t, eps)
        with no_grad(), evaluating(self):
            predicted, fraction = self.run(xt, t, labels)
            simple = self._squared_error(predicted, x0, eps, t)
            guess = self.x0_within_range(predicted, xt, t)
            bound = self._bound_terms(guess, fraction, x0, xt, t)
        return {"simple": raw(simple), "bound": raw(bound)}

    def bound(
        self, x0: Array, rng: RandomStream, labels: Array | None = None, steps: int | None = None
    ) -> Array:
        """The bound on -log p(x_0), equation ddpm-bound: raw, (batch,), in nats; nothing is recorded.

        Parameters
        ----------
        x0 : array, shape (batch, *shape)
        rng : RandomStream
            Of the noise at each time, and of the times.
        steps : int, optional
            How many of the T terms to compute, one random t from each of as many equal parts of 1 .. T, which
            leaves the estimate unbiased. All of them unless given.
        """
        T = self.schedule.steps
        check_rng(rng)
        check_data(x0, self.shape, self.levels)
        if steps is not None and check_size("steps", steps) > T:
            raise ValueError(f"steps: got {steps}, expected at most T = {T}")
        total = prior_kl(self.schedule, raw(x0))
        ends = np.linspace(0, T, (steps or T) + 1).round().astype(int).tolist()
        for low, high in itertools.pairwise(ends):
            t = rng.integers(low + 1, high + 1, (len(x0),))
            total = total + self.terms_at(x0, t, rng, labels)["bound"] * (high - low)
        return total

    def bits_per_dim(
        self, x0: Array, rng: RandomStream, labels: Array | None = None, steps: int | None = None
    ) -> Array:
        """The bound in bits per dimension, equation ddpm-bits-per-dim: raw, (batch,). See `bound`."""
        return self.bound(x0, rng, labels, steps) / (math.prod(self.shape) * math.log(2))

    def sample(self, n: int, rng: RandomStream, labels: Any = None, guidance: float = 0.0) -> Array:
        """`n` examples by all T steps, equation ddpm-sample-step.

        Parameters
        ----------
        n : int
        rng : RandomStream
        labels : array of int, shape (n,), or int, optional
            In 0 .. classes - 1. Left out, the model is asked for any class.
        guidance : float
            w of equation guidance.

        Returns
        -------
        array, shape (n, *shape)
            Raw.
        """
        return last(self.reverse_process(n, rng, None, 1.0, labels, guidance))

    def ddim_sample(
        self,
        n: int,
        rng: RandomStream,
        steps: int = 50,
        eta: float = 0.0,
        labels: Any = None,
        guidance: float = 0.0,
    ) -> Array:
        """`n` examples by a few steps, equation ddim-step.

        Parameters
        ----------
        n, rng, labels, guidance
            As for `sample`.
        steps : int
            Of 1 .. T, evenly from T down to 0.
        eta : float
            0 adds no noise after the first; 1 adds as much as DDPM does (with the small variance).

        Returns
        -------
        array, shape (n, *shape)
            Raw.
        """
        check_size("steps", steps)
        return last(self.reverse_process(n, rng, steps, eta, labels, guidance))

    def reverse_process(
        self,
        n: int,
        rng: RandomStream,
        steps: int | None = None,
        eta: float = 0.0,
        labels: Any = None,
        guidance: float = 0.0,
    ) -> Iterator[tuple[int, Array]]:
        """``(T, x_T), ..., (0, x_0)``, one after another: what `sample` (no `steps`) and `ddim_sample` do."""
        check_draw(n, rng)
        times = ddim_times(self.schedule.steps, self.schedule.steps if steps is None else steps)
        check_eta(eta)
        check_guidance(guidance, labels)
        labels = check_labels(labels, self.classes, n)
        return steps_back(self, n, rng, times, None if steps is None else eta, labels, guidance)

    def _check(self, x0: Any, t: Any) -> Array:
        """The times of a batch of data, as an array (batch,), if both are as they should be."""
        check_data(x0, self.shape, self.levels)
        return check_times(t, self.schedule.steps, len(x0))
