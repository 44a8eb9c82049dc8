"""Networks that are told a label: beside what they see (embedded, or one-hot), or by projection on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import cat
from ..backend import Array, RandomStream, check_rng, checks
from ..nn import Embedding, Linear, Module


class ConditionalGenerator(Module):
    """``network([z, embedding(label)])``: noise and a label to an example (Mirza & Osindero 2014).

    Parameters
    ----------
    network : Module
        ``(batch, latent_dim + embedding_dim) -> (batch, *shape)``.
    classes, embedding_dim : int
        Each label has a learnt vector of that length.
    rng : RandomStream, optional
        Of the initial embedding.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import MLP
    >>> generator = ConditionalGenerator(MLP([8 + 4, 2]), classes=10, embedding_dim=4)
    >>> generator(np.zeros((3, 8), np.float32), np.array([0, 1, 9])).shape
    (3, 2)
    """

    def __init__(
        self, network: Module, classes: int, embedding_dim: int, rng: RandomStream | None = None
    ) -> None:
        self.network, self.classes = network, classes
        self.embedding = Embedding(classes, embedding_dim, rng=None if rng is None else check_rng(rng))

    def forward(self, z: Any, labels: Array) -> Any:
        labels = checks.labels(labels, len(z), self.classes, needed=True)
        return self.network(cat([z, self.embedding(labels)], axis=1))


class ProjectionDiscriminator(Module):
    r"""Examples, and perhaps their labels, to one logit each, shape (batch,).

    With features phi(x), a weight w, a bias b and a vector v_c for each class c, the logit is

        logit(x, c) = w . phi(x) + b + v_c . phi(x)                                       (gan-projection)

    The best logit is log p(x, c) - log q(x, c), the sum of what x tells without its label, log p(x) - log
    q(x), and of what the label adds, log p(c|x) - log q(c|x); if both classifiers are softmaxes of the same
    features, the second is such a product (Miyato & Koyama 2018, eq. 2 to 4).

    Parameters
    ----------
    features : Module
        phi, ``(batch, *shape) -> (batch, feature_dim)``.
    feature_dim : int
    classes : int, optional
        Left out, there is no label, and no third term.
    rng : RandomStream, optional
        Of the initial weights, those of `features` excepted.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import MLP
    >>> discriminator = ProjectionDiscriminator(MLP([2, 8]), 8, classes=10)
    >>> discriminator(np.zeros((3, 2), np.float32), np.array([0, 1, 9])).shape
    (3,)
    """

    def __init__(
        self, features: Module, feature_dim: int, classes: int | None = None, rng: RandomStream | None = None
    ) -> None:
        checks.whole("feature_dim", feature_dim)
        self.features = features
        self.linear = Linear(feature_dim, 1, rng=None if rng is None else check_rng(rng).child("linear"))
        if classes is not None:
            stream = None if rng is None else rng.child("embedding")
            self.embedding = Embedding(classes, feature_dim, rng=stream)
        self.classes = classes

    def forward(self, x: Any, labels: Array | None = None) -> Any:
        labels = checks.labels(labels, len(x), self.classes, needed=True)
        features = self.features(x)
        logits = self.linear(features).reshape((len(x),))
        if labels is None:
            return logits
        return logits + (self.embedding(labels) * features).sum(axis=1)  # (gan-projection)


class WithLabel(Module):
    """``network([x, one-hot label])``: each class is a feature, or a channel, that is 1 for its own examples.

    It stands before an encoder and before a decoder alike, and adds no parameter of its own.

    Parameters
    ----------
    network : Module
        ``(batch, features + classes, ...) -> ...``.
    classes : int
    flatten : bool
        Whether images become vectors first.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import MLP
    >>> WithLabel(MLP([8 + 10, 2]), classes=10)(np.zeros((3, 8), np.float32), np.array([0, 1, 9])).shape
    (3, 2)
    """

    def __init__(self, network: Module, classes: int, flatten: bool = False) -> None:
        self.network, self.classes = network, checks.whole("classes", classes)
        self.flatten = flatten

    def forward(self, x: Any, labels: Array) -> Any:
        labels = checks.labels(labels, len(x), self.classes, needed=True)
        if self.flatten:
            x = x.reshape((len(x), -1))
        one_hot = labels[:, None] == np.arange(self.classes, like=labels)
        planes = one_hot.astype(x.dtype).reshape((*one_hot.shape, *(1,) * (x.ndim - 2)))
        return self.network(cat([x, np.broadcast_to(planes, (*one_hot.shape, *x.shape[2:]))], axis=1))
