"""Denoising diffusion probabilistic model (Ho, Jain & Abbeel 2020).

Adding noise is a fixed process (`process`), taking it away is learnt. A network sees x_t and t and predicts
the noise in it, the data, or v; that gives one step back, p(x_(t-1)|x_t), and starting from pure noise T such
steps give a sample (`sampling`). The loss is the squared error of whatever is predicted, summed over an
example's dimensions, for a t drawn evenly from 1 .. T (Ho et al. 2020, eq. 14, where the sum is a mean):

    L_simple = E_t |target - prediction|^2                                                (ddpm-simple-loss)

Where the network also chooses the variance, which L_simple does not see, the bound (`bound`) is added (Nichol
& Dhariwal 2021, eq. 16):

    L_hybrid = L_simple + lambda L_vlb,   lambda = 0.001,                                 (ddpm-hybrid-loss)

with the predicted mean held fixed in L_vlb, whose T terms are, on average, T times a random one of them.

With labels, one network learns images of a class and images in general: while training, some of the labels
are replaced by one that means "none". The difference of the two is what guidance exaggerates (`sampling`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, check_rng, checks
from ...distributions import sum_per_example
from ...nn.context import evaluating
from .bound import bound, bound_terms, prior_kl
from .ode import ode_log_prob, signs
from .process import prediction_target, q_sample, x0_from_prediction
from .reverse import ReverseProcess
from .sampling import reverse_log_var
from .schedule import Schedule


class DDPM(ReverseProcess):
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

    def __init__(
        self,
        network: Callable[..., Any],
        schedule: Schedule,
        shape: tuple[int, ...],
        variance: str = "fixed-small",
        prediction: str = "noise",
        levels: int | None = None,
        classes: int | None = None,
        label_dropout: float = 0.1,
        bound_weight: float = 0.001,
    ) -> None:
        super().__init__(network, schedule, shape, variance, prediction, levels, classes)
        self.label_dropout = checks.number("label_dropout", label_dropout, "[0, 1)")
        self.bound_weight = checks.number("bound_weight", bound_weight, "[0, inf)")

    def loss(self, x0: Array, rng: RandomStream | None = None, labels: Array | None = None) -> Any:
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

    def loss_terms(
        self, x0: Array, rng: RandomStream | None = None, labels: Array | None = None
    ) -> dict[str, Any]:
        """``loss`` as in `loss`; with the learned variance also its parts ``simple`` and ``bound``."""
        rng = check_rng(rng)
        labels = self._check_data(x0, labels)
        t = rng.integers(1, self.schedule.steps + 1, (len(x0),))
        if self.classes is not None:
            labels = drop_labels(labels, self.classes, self.label_dropout, rng)  # (label-dropout)
        eps = rng.normal(x0.shape, x0.dtype)
        xt = q_sample(self.schedule, x0, t, eps)
        predicted, fraction = self._network(xt, t, labels)
        simple = self._squared_error(predicted, x0, eps, t).mean()
        if fraction is None:
            return {"loss": simple}
        bound = self._bound_estimate(x0, xt, t, raw(predicted), fraction)  # no gradient to the mean
        hybrid = simple + bound * self.bound_weight  # (ddpm-hybrid-loss)
        return {"loss": hybrid, "simple": simple, "bound": bound}

    def bound_loss(self, x0: Array, rng: RandomStream, labels: Array | None = None) -> Any:
        """An estimate of the bound, equation ddpm-bound, from one time for each example; to be trained on.

        It is what L_simple leaves the weights out of: T times the term of a random t, plus the prior's KL,
        averaged over the batch, in nats per example. Its gradients reach mean and variance alike.
        """
        rng = check_rng(rng)
        labels = self._check_data(x0, labels)
        t = rng.integers(1, self.schedule.steps + 1, (len(x0),))
        xt = q_sample(self.schedule, x0, t, rng.normal(x0.shape, x0.dtype))
        return self._bound_estimate(x0, xt, t, *self._network(xt, t, labels))

    def _squared_error(self, predicted: Any, x0: Array, eps: Array, t: Array) -> Any:
        error = predicted - prediction_target(self.prediction, self.schedule, x0, eps, t)
        return sum_per_example(error * error)  # (ddpm-simple-loss)

    def _bound_estimate(self, x0: Array, xt: Array, t: Array, predicted: Any, fraction: Any) -> Any:
        guess = x0_from_prediction(self.prediction, self.schedule, predicted, xt, t)
        log_var = reverse_log_var(self.variance, self.schedule, fraction, t, xt)
        terms = bound_terms(self.schedule, x0, xt, t, guess, log_var, self.levels)
        prior = prior_kl(self.schedule, x0).mean()  # (ddpm-bound-estimate)
        return terms.mean() * self.schedule.steps + prior  # (ddpm-bound-estimate)

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
        labels = self._check_data(x0, labels)
        t = self._times(t, len(x0))
        eps = check_rng(rng).normal(x0.shape, x0.dtype)
        xt = q_sample(self.schedule, x0, t, eps)
        with no_grad(), evaluating(self):
            predicted, fraction = self._network(xt, t, labels)
            guess, log_var = self._step_back(predicted, fraction, xt, t)
            simple = self._squared_error(predicted, x0, eps, t)
            bound = bound_terms(self.schedule, x0, xt, t, guess, log_var, self.levels)
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
        labels = self._check_data(x0, labels)
        T = self.schedule.steps
        steps = T if steps is None else checks.whole("steps", steps, 1, T)
        predict = self._predictor(len(x0), labels, 0.0)
        return bound(self.schedule, predict, raw(x0), check_rng(rng), self.levels, steps)

    def bits_per_dim(
        self, x0: Array, rng: RandomStream, labels: Array | None = None, steps: int | None = None
    ) -> Array:
        """The bound in bits per dimension, equation ddpm-bits-per-dim: raw, (batch,). See `bound`."""
        nats = self.bound(x0, rng, labels, steps)
        return nats / (math.prod(self.shape) * math.log(2))  # (ddpm-bits-per-dim)

    def ode_log_prob(
        self,
        x0: Array,
        rng: RandomStream | None = None,
        labels: Array | None = None,
        steps: int = 100,
        probes: int | None = None,
    ) -> Array:
        """log p(x_0), as a density, by the probability flow, equation ode-log-prob: raw, (batch,), in nats.

        That is the density of what `ode_sample` draws with many steps. It is no bound, and not that of
        `sample`, unless the network is exact.

        Parameters
        ----------
        x0 : array, shape (batch, *shape)
        rng : RandomStream, optional
            Of the directions; not needed without `probes`.
        steps : int
            Of 1 .. T - 1, each with two evaluations of the network.
        probes : int, optional
            How many random directions estimate the divergence, equation ode-hutchinson. Left out, it is
            exact, by as many backward passes as an example has numbers.
        """
        labels = self._check_data(x0, labels)
        steps = checks.whole("steps", steps, 1, self.schedule.steps - 1)
        x0 = raw(x0)
        directions = None
        if probes is not None:
            directions = signs(check_rng(rng), checks.whole("probes", probes), x0)

        def guess(xt: Any, t: int) -> Any:
            return self._predict(xt, self._times(t, len(x0)), labels, 0.0)[0]

        with evaluating(self):
            return ode_log_prob(self.schedule, guess, x0, steps, directions)[0]


def drop_labels(labels: Array, none: int, probability: float, rng: RandomStream) -> Array:
    """`labels` (batch,), each replaced by `none` with a probability."""
    dropped = rng.uniform(labels.shape) < probability  # (label-dropout)
    return np.where(dropped, none, labels)  # (label-dropout)
