"""Semi-supervised VAE (Kingma, Rezende, Mohamed & Welling 2014): a few labels, and many examples without.

Nature draws a class ``y``, each of C alike, a style ``z ~ N(0, I)``, and then ``x ~ p(x|y, z)``. Three
networks: the decoder p(x|y, z), the style's posterior q(z|x, y), and q(y|x), which is a classifier. Where the
label is known the bound is that of a VAE with one more observed variable:

    log p(x, y) >= E_q(z|x,y) log p(x|y, z) + log p(y) - KL(q(z|x, y) || p(z))  =  -L(x, y)    (m2-labelled)

Where it is not, y is one more latent, which the classifier guesses; it is summed over, not sampled:

    log p(x) >= sum_y q(y|x) (-L(x, y)) + H(q(y|x))  =  -U(x)                                (m2-unlabelled)

So the classifier learns from examples without labels: it is pressed to name the class under which x is
easiest to explain. From labelled ones it learns nothing in this way, and a cross-entropy is added:

    loss = mean_i (L(x_i, y_i) if y_i is known, else U(x_i)) + alpha mean_known (-log q(y_i|x_i))   (m2-loss)

The paper calls this M2. M1 is a plain VAE; M1+M2 is M2 trained on M1's codes, with a normal p(x|y, z).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import batch_mean, cat, log_softmax, no_grad, raw
from ..backend import Array, RandomStream, asarray, check_rng, checks
from ..distributions import Bernoulli, Normal, kl_divergence, sum_per_example
from ..networks import MLP
from ..nn import Module, Parameter
from ..nn.context import evaluating

PRIOR = Normal(0.0, 0.0)
"""p(z) = N(0, I), of any shape."""


class SemiSupervisedVAE(Module):
    """M2: a classifier, an encoder of style and a decoder, trained on examples with and without labels.

    Parameters
    ----------
    shape : int or tuple of int
        Of one example.
    hidden_dim : int
        The width of each network's one hidden layer.
    latent_dim : int
        How many numbers describe the style.
    classes : int
        At least two.
    alpha : float
        The weight of the classifier's cross-entropy, per example of the whole batch.
    rng : RandomStream, optional
        Of the initial weights.
    likelihood : {"bernoulli", "normal"}
        p(x|y, z): coin tosses of pixels; or a normal, as for M1's codes, whose variances are learnt, one for
        each number, whatever the class and the style.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> model = SemiSupervisedVAE((1, 8, 8), 64, 5, classes=10)
    >>> x = np.zeros((3, 1, 8, 8), np.float32)
    >>> model.loss(x, RandomStream(0), labels=np.array([4, -1, -1])).shape  # -1 is unknown
    ()
    >>> model.classify(x).shape, model.sample(2, RandomStream(0), labels=7).shape
    ((3, 10), (2, 1, 8, 8))
    """

    def __init__(
        self,
        shape: int | Sequence[int],
        hidden_dim: int,
        latent_dim: int,
        classes: int,
        alpha: float = 0.1,
        rng: RandomStream | None = None,
        *,
        likelihood: str = "bernoulli",
    ) -> None:
        self.example_shape = checks.sizes("shape", tuple(shape) if isinstance(shape, list) else shape)
        self.latent_dim, self.classes = (
            checks.whole("latent_dim", latent_dim),
            checks.whole("classes", classes, 2),
        )
        self.alpha = checks.number("alpha", alpha, "[0, inf)")
        self.likelihood_name = checks.one_of("likelihood", likelihood, ("bernoulli", "normal"))
        hidden_dim, size = checks.whole("hidden_dim", hidden_dim), math.prod(self.example_shape)
        rng = RandomStream(0, "semi-supervised") if rng is None else check_rng(rng)
        self.classifier = MLP([size, hidden_dim, classes], rng=rng.child("classifier"))
        self.encoder = MLP([size + classes, hidden_dim, 2 * latent_dim], rng=rng.child("encoder"))
        self.decoder = MLP([latent_dim + classes, hidden_dim, size], rng=rng.child("decoder"))
        self.decoder_log_var: Any = None
        if likelihood == "normal":
            self.decoder_log_var = Parameter(np.zeros(size, np.float32))

    def forward(self, x: Array) -> Any:
        """The logarithms of q(y|x): (batch, classes)."""
        return log_softmax(self.classifier(self._flat(x)), axis=1)

    def classify(self, x: Array) -> Array:
        """The probabilities q(y|x). Raw, shape (batch, classes).

        Parameters
        ----------
        x : array, shape (batch, *shape)

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape.
        """
        with no_grad(), evaluating(self):
            return np.exp(raw(self(checks.batch("x", x, self.example_shape))))

    def bounds(self, x: Array, rng: RandomStream) -> Any:
        """-L(x, y) for every class y: (batch, classes), in nats, by one sample of z for each.

        Equation m2-labelled.
        """
        flat = self._flat(checks.batch("x", x, self.example_shape))
        n, size = flat.shape
        y = np.eye(self.classes, dtype=flat.dtype)
        y = np.broadcast_to(asarray(y), (n, self.classes, self.classes)).reshape(-1, self.classes)
        each = np.broadcast_to(flat[:, None], (n, self.classes, size)).reshape(-1, size)  # x with every y
        encoded = self.encoder(cat([each, y], axis=1))
        q = Normal(encoded[:, : self.latent_dim], encoded[:, self.latent_dim :])
        by_example = (n, self.classes, self.latent_dim)  # each example draws its own styles, on any rank
        z = Normal(q.mean.reshape(by_example), q.log_var.reshape(by_example)).rsample(check_rng(rng))
        decoded = self.decoder(cat([z.reshape((-1, self.latent_dim)), y], axis=1))
        p = (
            Bernoulli(decoded)
            if self.likelihood_name == "bernoulli"
            else Normal(decoded, self.decoder_log_var)
        )
        kl = sum_per_example(kl_divergence(q, PRIOR))
        bound = p.log_prob_per_example(each) - math.log(self.classes) - kl  # (m2-labelled)
        return bound.reshape((n, self.classes))

    def loss(self, x: Array, rng: RandomStream | None = None, labels: Array | None = None) -> Any:
        """Minus the bounds, averaged over the batch, and the classifier's cross-entropy: equation m2-loss.

        In nats per example.

        Parameters
        ----------
        x : array, shape (batch, *shape)
            For a Bernoulli within [0, 1], and best of zeros and ones.
        rng : RandomStream
            Of one sample of the style for each example and class.
        labels : array of int, shape (batch,), optional
            The classes; -1 where unknown. Left out, none is known.

        Raises
        ------
        TypeError, ValueError
            If `x` or `labels` is not as said above.
        """
        return self.loss_terms(x, rng, labels)["loss"]

    def loss_terms(
        self, x: Array, rng: RandomStream | None = None, labels: Array | None = None
    ) -> dict[str, Any]:
        """The loss and its terms, each in nats per example: the bounds' mean, and the cross-entropy's."""
        given = np.full(len(x), -1) if labels is None else labels
        y = checks.one_each("labels", given, len(x))
        checks.within("labels", y, -1, self.classes - 1, "-1 is unknown")
        bounds, log_q = self.bounds(x, check_rng(rng)), self(x)
        q = log_q.exp()
        known = (y >= 0).astype(log_q.dtype)
        named = (y[:, None] == asarray(np.arange(self.classes))).astype(log_q.dtype)  # no class where unknown
        labelled = (named * bounds).sum(axis=1)
        unlabelled = (q * bounds).sum(axis=1) - (q * log_q).sum(axis=1)  # (m2-unlabelled)
        bound = (labelled + (1 - known) * unlabelled).mean()
        share = batch_mean(known[:, None]).reshape(())  # of the whole batch, whichever rank has the labels
        wrong = -(named * log_q).sum(axis=1).mean() / np.where(share > 0, share, 1)
        return {"loss": self.alpha * wrong - bound, "bound": -bound, "cross-entropy": wrong}  # (m2-loss)

    def sample(self, n: int, rng: RandomStream, labels: Array | None = None) -> Array:
        """`n` examples: a class, unless told, and a style from their priors, then the mean of p(x|y, z).

        Parameters
        ----------
        n : int
        rng : RandomStream
        labels : array of int, shape (n,), or int, optional

        Returns
        -------
        array, shape (n, *shape)
        """
        n, rng = checks.whole("n", n, 0), check_rng(rng)
        labels = checks.labels(labels, n, self.classes)
        with no_grad(), evaluating(self):
            y = rng.child("labels").integers(0, self.classes, (n,)) if labels is None else labels
            z = rng.normal((n, self.latent_dim), next(self.parameters()).dtype)
            named = (y[:, None] == asarray(np.arange(self.classes))).astype(z.dtype)
            decoded = self.decoder(cat([z, named], axis=1))
            mean = Bernoulli(decoded).mean if self.likelihood_name == "bernoulli" else decoded
            return raw(mean).reshape((n, *self.example_shape))

    def _flat(self, x: Array) -> Any:
        return raw(x).reshape((len(x), -1))
