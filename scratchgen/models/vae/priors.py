"""Priors that are learnt: a mixture of normals, and the VampPrior (Tomczak & Welling 2018).

Over all priors the ELBO is largest where p(z) is what the codes of all images look like together, the
aggregated posterior q(z) = 1/n sum_i q(z|x_i). N(0, I) can only be forced on it. A mixture of K normals can
follow it,

    p(z) = sum_k pi_k N(z; m_k, diag s_k^2),                                                (mixture-prior)

with all of pi, m and s learnt. The VampPrior ("variational mixture of posteriors") lets the encoder itself
say where the K components lie, as the codes of K pseudo-inputs u_k, images that are learnt:

    p(z) = 1/K sum_k q(z|u_k).                                                                 (vamp-prior)

The KL of a normal from a mixture has no closed form. It is estimated at the z that is drawn anyway, with the
sum over components inside a logarithm, by logsumexp:

    KL(q(z|x) || p(z)) ~ log q(z|x) - log p(z),   z ~ q(z|x).                                (vae-prior-kl)
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, asnumpy, check_rng, checks
from ...distributions import Distribution, Mixture, Normal
from ...networks.gaussian import mean_and_log_var
from ...nn import Module, Parameter
from ...nn.module import parameter_like


@runtime_checkable
class Prior(Protocol):
    """What a VAE asks of a prior that is not N(0, I); it is a Module too, to be trained and saved."""

    def log_prob(self, z: Any) -> Any:
        """log p(z) in nats: (..., latent_dim) -> (...)."""

    def sample(self, n: int, rng: RandomStream) -> Array:
        """`n` codes. Raw, shape (n, latent_dim)."""


def check_prior(prior: Any) -> Any:
    """`prior`, if it is None (for N(0, I)) or a Module with `log_prob` and `sample`.

    Raises
    ------
    TypeError
        Naming what was given; for a Distribution, what to take instead.
    """
    if prior is None or (isinstance(prior, Module) and isinstance(prior, Prior)):
        return prior
    if isinstance(prior, Distribution):
        raise TypeError(
            f"prior: got a {type(prior).__name__} distribution, expected a Module with log_prob(z) and "
            "sample(n, rng), whose parameters are trained and saved with the model; see MixturePrior"
        )
    raise TypeError(
        f"prior: got {type(prior).__name__}, expected None for N(0, I), or a Module with log_prob(z) and "
        "sample(n, rng), such as MixturePrior or VampPrior"
    )


def density(mixture: Mixture, z: Any) -> Any:
    """log p(z) of vectors, after a look at their length."""
    return mixture.log_prob(checks.shape("z", z, (..., *mixture.shape)))


def draw(mixture: Mixture, n: int, rng: RandomStream) -> Array:
    """`n` vectors of a mixture. Raw, shape (n, latent_dim)."""
    if checks.whole("n", n, 0) == 0:
        return np.zeros_like(raw(mixture.logits), shape=(0, *mixture.shape))
    return mixture.sample(check_rng(rng), n)


class MixturePrior(Module):
    """A mixture of normals, all of it learnt.

    Parameters
    ----------
    components : int
        K.
    latent_dim : int
    rng : RandomStream, optional
        Of the initial means, which are drawn from N(0, I).

    Attributes
    ----------
    logits : Parameter, shape (components,)
        pi is their softmax.
    mean, log_var : Parameter, shape (components, latent_dim)

    Examples
    --------
    >>> prior = MixturePrior(5, 2)
    >>> prior.log_prob(np.zeros((3, 2), np.float32)).shape, prior.sample(4, RandomStream(0)).shape
    ((3,), (4, 2))
    """

    def __init__(self, components: int, latent_dim: int, rng: RandomStream | None = None) -> None:
        self.components = checks.whole("components", components)
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.logits = parameter_like((components,))
        self.mean = parameter_like((components, latent_dim))
        self.log_var = parameter_like((components, latent_dim))
        self.reset_parameters(RandomStream(0, "mixture-prior") if rng is None else check_rng(rng))

    def reset_parameters(self, rng: RandomStream) -> None:
        self.mean.data[...] = rng.normal(self.mean.shape, self.mean.dtype)

    def mixture(self) -> Mixture:
        """The distribution as it is now."""
        return Mixture(self.logits, Normal(self.mean, self.log_var))  # (mixture-prior)

    def log_prob(self, z: Any) -> Any:
        """log p(z) in nats: (..., latent_dim) -> (...)."""
        return density(self.mixture(), z)

    def sample(self, n: int, rng: RandomStream) -> Array:
        """`n` codes. Raw, shape (n, latent_dim)."""
        return draw(self.mixture(), n, rng)

    def extra_repr(self) -> str:
        return f"{self.components}, {self.latent_dim}"


class VampPrior(Module):
    """The encoder's own posteriors of pseudo-inputs, which are learnt, all equally likely.

    Parameters
    ----------
    pseudo_inputs : array, shape (K, *shape)
        Where they start: training images, say.
    encoder : Module
        The VAE's. It is the same object, trained by both, and stands once in the VAE's state_dict.

    Attributes
    ----------
    pseudo_inputs : Parameter, shape (K, *shape)

    Examples
    --------
    >>> from scratchgen.networks import GaussianHeads
    >>> prior = VampPrior(np.zeros((5, 6), np.float32), GaussianHeads(6, 2))
    >>> prior.log_prob(np.zeros((3, 2), np.float32)).shape, prior.sample(4, RandomStream(0)).shape
    ((3,), (4, 2))
    """

    def __init__(self, pseudo_inputs: Any, encoder: Module) -> None:
        checks.batch("pseudo_inputs", pseudo_inputs)
        self.encoder = checks.instance("encoder", encoder, Module)
        self.pseudo_inputs = Parameter(asnumpy(pseudo_inputs).copy())

    def mixture(self) -> Mixture:
        """The distribution as it is now."""
        mean, log_var = mean_and_log_var(self.encoder(self.pseudo_inputs))
        return Mixture(np.zeros_like(raw(mean), shape=(len(mean),)), Normal(mean, log_var))  # (vamp-prior)

    def log_prob(self, z: Any) -> Any:
        """log p(z) in nats: (..., latent_dim) -> (...)."""
        return density(self.mixture(), z)

    def sample(self, n: int, rng: RandomStream) -> Array:
        """`n` codes. Raw, shape (n, latent_dim)."""
        with no_grad():
            return draw(self.mixture(), n, rng)
