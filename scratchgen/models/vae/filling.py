"""Holes filled in by a VAE: the hidden part and the code are drawn in turn (Rezende et al. 2014, section 6).

Where the mask is 1 the picture is unknown. Call that part h, and v what is visible; a VAE knows how h, v and
the code z belong together. Begin with any h and repeat

    z ~ q(z | h, v),   h ~ p(h | z)                                                              (vae-fill)

If q is the true posterior, a step draws each of two from its distribution given the other and v: Gibbs
sampling, which leaves p(h, z | v) as it is. For, if (h, z) is distributed so, its h alone is distributed as
p(h | v), a fresh z ~ p(z | h, v) makes a pair from p(h, z | v) of it, and so does a fresh h, as p(h | z, v)
is p(h | z): given the code the pixels of these likelihoods are independent. With an approximate posterior it
is an approximation (appendix F of the paper bounds how far off).
"""

from __future__ import annotations

from ...autograd import no_grad, raw, where
from ...backend import Array, RandomStream, checks
from ...nn.context import evaluating
from ..holes import check_images, check_masks
from .model import VAE


def fill_in(model: VAE, images: Array, masks: Array, rng: RandomStream, rounds: int = 20) -> Array:
    """Pictures with their holes filled in as a VAE thinks likely, given the rest; the rest stays bit for bit.

    The chain starts from a sample of the model. The last of its rounds gives the mean of p(h | z) instead of
    a draw, as pictures mostly show.

    Parameters
    ----------
    model : VAE
        Without classes.
    images : array, shape (batch, channels, height, width)
    masks : array of bool, shape (batch, height, width) or (batch, 1, height, width)
        True in the hole.
    rng : RandomStream
    rounds : int
        Of vae-fill.

    Returns
    -------
    array, like `images`
        Raw.

    Raises
    ------
    TypeError, ValueError
        If shapes or dtypes are not as said, or a mask has no hole.

    Examples
    --------
    >>> import numpy as np
    >>> vae = VAE.dense((1, 4, 4), 8, latent_dim=2)
    >>> hole = np.zeros((3, 4, 4), bool)
    >>> hole[:, :2] = True
    >>> filled = fill_in(vae, np.ones((3, 1, 4, 4), np.float32), hole, RandomStream(0))
    >>> int((filled != 1).sum())
    24
    """
    images = check_images("images", images)
    masks = check_masks(masks, images)
    x = where(masks, model.sample(len(images), rng.child("start")), images)
    with no_grad(), evaluating(model):
        for i in range(checks.whole("rounds", rounds)):
            stream = rng.child("round", i)
            z = raw(model.posterior(x).sample(stream.child("code")))  # (vae-fill)
            p = model.likelihood(z)
            drawn = p.mean if i == rounds - 1 else p.sample(stream.child("pixels"))
            x = where(masks, raw(drawn), images)  # (vae-fill)
    return x
