"""What the two players of a GAN minimise, as functions of the discriminator's logits.

A generator turns noise z into an example G(z), whose density is called q; a discriminator D says how likely
it is that an example comes from the data, whose density is p. One plays against the other (Goodfellow et al.
2014, eq. 1):

    min_G max_D V,   V = E_p log D(x) + E_z log(1 - D(G(z)))                               (gan-minimax)
                       = E_p log D(x) + E_q log(1 - D(x))                                    (gan-value)

Point by point, V is greatest (proposition 1) at

    D*(x) = p(x) / (p(x) + q(x)),   whose logit is log p(x) - log q(x)         (gan-optimal-discriminator)

and there it measures how far q is from p (theorem 1):

    V at D* = -log 4 + 2 JSD(p, q)                                                             (gan-jsd)
    JSD(p, q) = 1/2 KL(p || (p + q)/2) + 1/2 KL(q || (p + q)/2)                     (gan-jensen-shannon)

The generator may lower V, or, with the same fixed point but another gradient (section 3 of the same), raise
the logarithm of D instead of lowering that of 1 - D:

    L_G = -E_z log D(G(z))                                                          (gan-non-saturating)

With l the logit of G(z) and s = sigmoid(l) = D(G(z)) the two generators' gradients are

    d/dl log(1 - s) = -s,   d/dl (-log s) = -(1 - s).                              (gan-logit-gradients)

Early on the discriminator is sure that samples are none of the data, and s is nearly 0: then the first
gradient has vanished, and the second is at its largest. Both pull the same way, but they are not the same.

The Wasserstein objective (Arjovsky et al. 2017, eq. 2) has a critic f, any number instead of a logit, whose
slope is at most 1 everywhere. The best of them measures how far mass has to be moved to turn q into p:

    W(p, q) = max over f with |f(x) - f(y)| <= |x - y| of  E_p f(x) - E_q f(x)          (wgan-duality)
    L_G = -E_z f(G(z))                                                           (wgan-generator-loss)

Everything is computed from logits, log D = -softplus(-l) and log(1 - D) = -softplus(l), so that no
probability is rounded to 0 or 1, where the logarithm or its gradient would be lost.
"""

from __future__ import annotations

from typing import Any

from ...autograd import softplus

OBJECTIVES = ("non-saturating", "minimax", "wasserstein-gp")


def discriminator_loss(real: Any, fake: Any) -> Any:
    """``-V``, of gan-minimax, estimated from the logits of real and of generated examples, in nats.

    Parameters
    ----------
    real, fake : shape (batch,)
        Logits.

    Examples
    --------
    A discriminator that knows nothing says 1/2, and -V is log 4:

    >>> import numpy as np
    >>> discriminator_loss(np.zeros(3), np.zeros(2)).round(4)
    np.float64(1.3863)
    """
    return softplus(-real).mean() + softplus(fake).mean()  # (gan-minimax) (gan-value)


def critic_loss(real: Any, fake: Any) -> Any:
    """Minus what wgan-duality maximises, estimated from the scores of real and of generated examples."""
    return fake.mean() - real.mean()  # (wgan-duality)


def generator_loss(fake: Any, objective: str) -> Any:
    """What the generator minimises, given the logits (or the critic's scores) of its examples.

    Parameters
    ----------
    fake : shape (batch,)
    objective : {"non-saturating", "minimax", "wasserstein-gp"}
        ``-E log D``, ``E log(1 - D)`` or ``-E f``.

    Examples
    --------
    Where the discriminator is sure, minimax has hardly a gradient left:

    >>> from scratchgen import grad, tensor
    >>> logit = tensor([-6.0], requires_grad=True)
    >>> [round(grad(generator_loss(logit, name), logit)[0].item(), 4) for name in OBJECTIVES[:2]]
    [-0.9975, -0.0025]
    """
    if objective == "non-saturating":
        return softplus(-fake).mean()  # (gan-non-saturating)
    if objective == "minimax":
        return -softplus(fake).mean()  # (gan-minimax)
    return -fake.mean()  # (wgan-generator-loss)
