"""The network as a model of one step back: p(x_(t-1)|x_t), whatever it is that it predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd import clip
from ...backend import Array
from ...distributions import Normal
from ...nn import Module
from ...nn.module import check_size
from .guidance import guided
from .inputs import check_data, check_guidance, check_labels, check_options, check_output, check_times
from .prediction import x0_from_prediction
from .process import posterior_mean
from .reverse import reverse_log_var
from .schedule import Schedule


class Denoiser(Module):
    """A network with what it takes to read it: the base class of `DDPM`, which documents the parameters."""

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
        self.shape = check_options(
            network, schedule, shape, variance, prediction, label_dropout, bound_weight
        )
        self.network = network
        self.schedule = schedule
        self.variance = variance
        self.prediction = prediction
        if levels is not None and check_size("levels", levels) < 2:
            raise ValueError(f"levels: got {levels}, expected 2 or more")
        self.levels = 256 if levels is None and len(self.shape) == 3 else levels
        self.classes = None if classes is None else check_size("classes", classes)
        self.label_dropout = label_dropout
        self.bound_weight = bound_weight

    def predict_x0(self, xt: Any, t: Array, labels: Array | None = None, guidance: float = 0.0) -> Any:
        """The x_0 that the network sees in `xt`: (batch, *shape). See `reverse` for the arguments."""
        return self.predict(xt, *self._check_noisy(xt, t, labels, guidance), guidance)[0]

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
        t, labels = self._check_noisy(xt, t, labels, guidance)
        x0, fraction = self.predict(xt, t, labels, guidance)
        log_var = reverse_log_var(self.variance, self.schedule, fraction, t, xt)
        return Normal(posterior_mean(self.schedule, x0, xt, t), log_var)

    def forward(self, xt: Any, t: Array, labels: Array | None = None) -> Any:
        """What the network predicts: eps, x_0 or v, of the shape of `xt`."""
        return self.run(xt, *self._check_noisy(xt, t, labels, 0.0))[0]

    def run(self, xt: Any, t: Array, labels: Array | None) -> tuple[Any, Any]:
        """What the network says of a checked batch; and the fractions f of ddpm-learned-variance, or None."""
        output = self.network(xt, t) if self.classes is None else self.network(xt, t, labels)
        check_output(output, xt.shape, self.variance)
        if self.variance != "learned":
            return output, None
        return output[:, : xt.shape[1]], output[:, xt.shape[1] :]

    def predict(self, xt: Any, t: Array, labels: Array | None, guidance: float) -> tuple[Any, Any]:
        """The x_0 predicted for a checked batch, within [-1, 1] where the data are; and the fractions."""
        predicted, fraction = self.run(xt, t, labels)
        if guidance:
            without, _ = self.run(xt, t, np.full_like(labels, self.classes))
            predicted = guided(predicted, without, guidance)
        return self.x0_within_range(predicted, xt, t), fraction

    def x0_within_range(self, predicted: Any, xt: Any, t: Array) -> Any:
        """The x_0 that a prediction means, within [-1, 1] where the data are."""
        x0 = x0_from_prediction(self.prediction, self.schedule, predicted, xt, t)
        return x0 if self.levels is None else clip(x0, -1.0, 1.0)

    def _check_noisy(self, xt: Any, t: Any, labels: Any, guidance: float) -> tuple[Array, Array | None]:
        """The times and labels of a batch, each as an array (batch,), if all arguments are as they should."""
        check_data(xt, self.shape, name="xt")
        check_guidance(guidance, labels)
        t = check_times(t, self.schedule.steps, len(xt))
        return t, check_labels(labels, self.classes, len(xt))
