"""TimeMLP: a noisy vector and its time to the noise in it, for data that are no images."""

from __future__ import annotations

from typing import Any

from ..autograd import cat
from ..backend import Array, RandomStream, check_rng, checks
from ..nn import Embedding, Linear, Module, SiLU, SinusoidalEmbedding
from .mlp import MLP


class TimeMLP(Module):
    """The network of a diffusion model: ``(batch, features), times (batch,) -> (batch, out_features)``.

    A multi-layer perceptron whose input is the vector beside its time as waves (and its label as a vector).

    Parameters
    ----------
    features, hidden_dim : int
    out_features : int, optional
        As many as `features` if left out; twice as many for a learned variance.
    layers : int
        Hidden layers, each of `hidden_dim` units.
    classes : int, optional
        How many labels there are, for a network that is told one: ``network(xt, t, labels)``.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> network = TimeMLP(2, 64)
    >>> network(np.zeros((4, 2), np.float32), np.array([1, 10, 100, 1000])).shape
    (4, 2)
    """

    def __init__(
        self,
        features: int,
        hidden_dim: int,
        out_features: int | None = None,
        layers: int = 3,
        classes: int | None = None,
        rng: RandomStream | None = None,
    ) -> None:
        self.features = checks.whole("features", features)
        checks.whole("hidden_dim", hidden_dim)
        checks.whole("layers", layers)
        out_features = features if out_features is None else checks.whole("out_features", out_features)
        rng = None if rng is None else check_rng(rng)
        width = 2 * -(-hidden_dim // 4)  # of the time: about half of a hidden layer, an even number
        self.waves = SinusoidalEmbedding(width)
        self.time = Linear(width, width, rng=rng and rng.child("time"))
        self.classes = None if classes is None else checks.whole("classes", classes)
        if classes is not None:
            self.label = Embedding(classes, width, rng=rng and rng.child("label"))
        sizes = [features + width, *[hidden_dim] * layers, out_features]
        self.body = MLP(sizes, activation=SiLU, rng=rng and rng.child("body"))

    def forward(self, xt: Any, t: Array, labels: Array | None = None) -> Any:
        """The result for vectors `xt` (batch, features) at the whole-numbered times `t` (batch,).

        `labels`, whole numbers ``0 .. classes - 1`` (batch,), belong to a network with `classes` only.
        """
        checks.shape("xt", xt, ("batch", self.features))
        checks.shape("t", t, (len(xt),), "a time for each vector")
        labels = checks.labels(labels, len(xt), self.classes, needed=True)
        time = self.time(self.waves(t, xt.dtype))
        if labels is not None:
            time = time + self.label(labels)
        return self.body(cat([xt, time], axis=1))
