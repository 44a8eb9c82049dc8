"""The reverse process as a network has it: what it sees in x_t, one step back, and all the way to a sample.

The network predicts the noise in x_t, the data, or v (`process`), perhaps with a variance (`sampling`). Each
of these means an x_0, and with it p(x_(t-1)|x_t). Here its answer is read, with labels and guidance, for
losses, bound and samplers alike; `ddpm` is the model made of it, with its losses and its likelihoods.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...autograd import clip, no_grad, raw
from ...backend import Array, RandomStream, asarray, check_rng, checks
from ...distributions import Normal
from ...nn import Module
from ...nn.context import evaluating
from .ode import ode_path
from .process import PREDICTIONS, Predict, posterior_mean, q_posterior, q_sample, x0_from_prediction
from .sampling import VARIANCES, ddim_path, ddpm_path, guided, reverse_log_var
from .schedule import Schedule


class ReverseProcess(Module):
    """A network and a schedule; `DDPM` says what the parameters mean."""

    def __init__(
        self,
        network: Callable[..., Any],
        schedule: Schedule,
        shape: tuple[int, ...],
        variance: str,
        prediction: str,
        levels: int | None,
        classes: int | None,
    ) -> None:
        self.network = checks.instance("network", network, Callable, "called as network(xt, t)")
        self.schedule = checks.instance("schedule", schedule, Schedule, "such as cosine_schedule(1000)")
        self.shape = checks.sizes("shape", shape)
        self.variance = checks.one_of("variance", variance, VARIANCES)
        self.prediction = checks.one_of("prediction", prediction, PREDICTIONS)
        if levels is None and len(self.shape) == 3:
            levels = 256
        self.levels = None if levels is None else checks.whole("levels", levels, 2)
        self.classes = None if classes is None else checks.whole("classes", classes)

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
        self._check_data(x0)
        checks.shape("eps", eps, tuple(x0.shape), "like x0")
        return q_sample(self.schedule, x0, self._times(t, len(x0)), eps)

    def q_posterior(self, x0: Any, xt: Any, t: Array) -> Normal:
        """q(x_(t-1)|x_t, x_0), equations ddpm-posterior-mean and ddpm-posterior-variance: a Normal."""
        self._check_data(x0)
        checks.shape("xt", xt, tuple(x0.shape), "like x0")
        return q_posterior(self.schedule, x0, xt, self._times(t, len(x0)))

    def forward(self, xt: Any, t: Array, labels: Array | None = None) -> Any:
        """What the network predicts: eps, x_0 or v, of the shape of `xt`. See `reverse` for the arguments."""
        return self._network(xt, *self._check_noisy(xt, t, labels))[0]

    def predict_x0(self, xt: Any, t: Array, labels: Array | None = None, guidance: float = 0.0) -> Any:
        """The x_0 that the network sees in `xt`: (batch, *shape). See `reverse` for the arguments."""
        weight = check_guidance(guidance, labels)
        return self._predict(xt, *self._check_noisy(xt, t, labels), weight)[0]

    def reverse(self, xt: Any, t: Array, labels: Array | None = None, guidance: float = 0.0) -> Normal:
        """p(x_(t-1)|x_t): a Normal.

        Parameters
        ----------
        xt : array, shape (batch, *shape)
        t : array of int, shape (batch,)
            In 1 .. T; one number serves all.
        labels : array of int, shape (batch,), optional
            In 0 .. classes - 1; one number serves all. Left out, the model is asked for any class.
        guidance : float
            w of equation guidance: 0 is the model's own idea of a class, more exaggerates it.
        """
        weight = check_guidance(guidance, labels)
        t, labels = self._check_noisy(xt, t, labels)
        x0, log_var = self._predict(xt, t, labels, weight)
        return Normal(posterior_mean(self.schedule, x0, xt, t), log_var)

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
        return _end(self.reverse_process(n, rng, labels=labels, guidance=guidance))

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
        steps = checks.whole("steps", steps, 1, self.schedule.steps)
        return _end(self.reverse_process(n, rng, steps, eta, labels, guidance))

    def ode_sample(
        self, n: int, rng: RandomStream, steps: int = 20, labels: Any = None, guidance: float = 0.0
    ) -> Array:
        """`n` examples by the probability flow, in a few steps of second order: equation ode-step.

        Parameters
        ----------
        n, rng, labels, guidance
            As for `sample`; all that is random is the noise that it begins with.
        steps : int
            Of 1 .. T, each with one evaluation of the network.

        Returns
        -------
        array, shape (n, *shape)
            Raw.
        """
        n, steps = checks.whole("n", n, 0), checks.whole("steps", steps, 1, self.schedule.steps)
        predict = self._predictor(n, self._labels(labels, n), check_guidance(guidance, labels))
        return _end(ode_path(self.schedule, predict, self._noise(n, rng), steps))

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
        n = checks.whole("n", n, 0)
        if steps is not None:
            checks.whole("steps", steps, 1, self.schedule.steps)
        eta = checks.number("eta", eta, "[0, 1]")
        guidance = check_guidance(guidance, labels)
        predict = self._predictor(n, self._labels(labels, n), guidance)
        x = self._noise(n, rng)
        if steps is None:
            return ddpm_path(self.schedule, predict, x, rng)
        return ddim_path(self.schedule, predict, x, rng, steps, eta)

    def _noise(self, n: int, rng: RandomStream) -> Array:
        """x_T of `n` examples."""
        dtype = next((p.dtype for p in self.parameters()), np.dtype(np.float32))
        return check_rng(rng).normal((n, *self.shape), dtype)

    def _predictor(self, batch: int, labels: Array | None, guidance: float) -> Predict:
        """The network as the bound and the samplers ask it: in evaluation, recording nothing."""

        def predict(xt: Array, t: Any) -> tuple[Array, Array]:
            with no_grad(), evaluating(self):
                guess, log_var = self._predict(xt, self._times(t, batch), labels, guidance)
            return raw(guess), raw(log_var)

        return predict

    def _predict(self, xt: Any, t: Array, labels: Array | None, guidance: float) -> tuple[Any, Any]:
        """The x_0 that the network sees, with `guidance`, and log sigma_t^2."""
        predicted, fraction = self._network(xt, t, labels)
        if guidance:
            without, _ = self._network(xt, t, np.full_like(labels, self.classes))
            predicted = guided(predicted, without, guidance)
        return self._step_back(predicted, fraction, xt, t)

    def _step_back(self, predicted: Any, fraction: Any, xt: Any, t: Array) -> tuple[Any, Any]:
        """The x_0 that a prediction means, within [-1, 1] where the data are, and log sigma_t^2."""
        guess = x0_from_prediction(self.prediction, self.schedule, predicted, xt, t)
        guess = guess if self.levels is None else clip(guess, -1.0, 1.0)  # (ddpm-clipped-guess)
        return guess, reverse_log_var(self.variance, self.schedule, fraction, t, xt)

    def _network(self, xt: Any, t: Array, labels: Array | None) -> tuple[Any, Any]:
        """What the network predicts; and the fractions f of ddpm-learned-variance, or None."""
        output = self.network(xt, t) if self.classes is None else self.network(xt, t, labels)
        batch, channels, *rest = xt.shape
        if self.variance != "learned":
            return checks.shape("network(xt, t)", output, (batch, channels, *rest), "like xt"), None
        reason = "twice the channels: the learned variance needs the second half"
        checks.shape("network(xt, t)", output, (batch, 2 * channels, *rest), reason)
        return output[:, :channels], output[:, channels:]

    def _check_data(self, x0: Any, labels: Any = None) -> Array | None:
        """Data and their labels as a loss wants them; the labels as `_labels` gives them."""
        checks.batch("x0", x0, self.shape)
        if self.levels is not None:
            checks.within("x0", x0, -1, 1, "pixels in [0, 1] become such by 2 * x - 1")
        return self._labels(labels, len(x0))

    def _check_noisy(self, xt: Any, t: Any, labels: Any) -> tuple[Array, Array | None]:
        """The times and the labels of a noisy batch."""
        checks.batch("xt", xt, self.shape)
        return self._times(t, len(xt)), self._labels(labels, len(xt))

    def _times(self, t: Any, batch: int) -> Array:
        return checks.within("t", checks.one_each("t", t, batch), 1, self.schedule.steps)

    def _labels(self, labels: Any, batch: int) -> Array | None:
        """The labels as an array (batch,): "none", which is `classes`, for all if none are given."""
        if labels is None and self.classes is not None:
            return asarray(np.full(batch, self.classes))
        return checks.labels(labels, batch, self.classes)


def check_guidance(guidance: Any, labels: Any) -> float:
    """The weight of guidance as a number; it needs labels to go towards."""
    if guidance and labels is None:
        raise ValueError(f"guidance: got {guidance} without labels, expected 0: no class to go towards")
    return checks.number("guidance", guidance)


def _end(path: Iterator[tuple[int, Array]]) -> Array:
    """The x_0 at the end of a reverse process."""
    return deque(path, maxlen=1)[0][1]
