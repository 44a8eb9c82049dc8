"""Other axes for the codes of a VAE: its latent space turned, with the same p(x).

N(0, I) is round. So a decoder that first turns the code back, by an orthogonal matrix R, makes the same
images as often (Rolinek, Zietlow & Martius 2019; Locatello et al. 2019, theorem 1):

    p'(x|z) = p(x | R^T z),     so that   p'(x) = E_{z ~ N(0, I)} p(x | R^T z) = p(x).          (vae-turned)

The posterior turns as well, and N(R mu, R diag(sigma^2) R^T) is no longer diagonal. An encoder that gives
diagonal ones can only come near it; of these the nearest in KL(q' || .) is

    q'(z|x) = N(R mu, diag s^2),    1 / s_j^2 = sum_i R_ji^2 / sigma_i^2.             (vae-turned-posterior)

It is off by 1/2 sum_j log sum_i R_ji^2 / sigma_i^2 + 1/2 sum_i log sigma_i^2 >= 0 nats, and the bound pays
them: the likelihood prefers no axes, a diagonal encoder does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import exp, log
from ...backend import Array, asarray, checks
from ...networks.gaussian import mean_and_log_var
from ...nn import Module
from ...nn.module import Buffer
from .model import VAE


class TurnedEncoder(Module):
    """An encoder whose codes are turned: ``x -> (R mu, log s^2)``, equation vae-turned-posterior.

    Parameters
    ----------
    encoder : Module
        ``x -> (mu, log_var)``.
    rotation : array, shape (latent_dim, latent_dim)
        R, orthogonal.
    """

    def __init__(self, encoder: Module, rotation: Array) -> None:
        self.encoder, self.rotation = encoder, Buffer(rotation)

    def forward(self, x: Array, *labels: Array) -> tuple[Any, Any]:
        mean, log_var = mean_and_log_var(self.encoder(x, *labels))
        R = self.rotation.data
        precision = exp(-log_var) @ (R * R).T  # (vae-turned-posterior)
        return mean @ R.T, -log(precision)  # (vae-turned-posterior)


class TurnedDecoder(Module):
    """A decoder that turns the code back first: ``z -> decoder(R^T z)``, equation vae-turned."""

    def __init__(self, decoder: Module, rotation: Array) -> None:
        self.decoder, self.rotation = decoder, Buffer(rotation)

    def forward(self, z: Any, *labels: Array) -> Any:
        return self.decoder(z @ self.rotation.data, *labels)  # (vae-turned)


def turned(vae: VAE, rotation: Any) -> VAE:
    """The same model of x with other axes: its codes are R z. It shares the networks of `vae`.

    Parameters
    ----------
    vae : VAE
        With the prior N(0, I): another may not be round.
    rotation : array, shape (latent_dim, latent_dim)
        R, an orthogonal matrix.

    Returns
    -------
    VAE
        p(x) is the same, the bound at most as high (but for the error of the encoder of `vae`).

    Raises
    ------
    TypeError, ValueError
        If `vae` is none or has a learnt prior, or `rotation` is of another shape or not orthogonal.

    Examples
    --------
    >>> vae = VAE.dense(784, 256, 2)
    >>> quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> z, same = np.array([[1.0, 0.5]], np.float32), np.array([[-0.5, 1.0]], np.float32)
    >>> bool(np.allclose(vae.decode(z), turned(vae, quarter).decode(same), atol=1e-6))
    True
    """
    checks.instance("vae", vae, VAE)
    if vae.prior is not None:
        raise ValueError(f"vae: got one with a {type(vae.prior).__name__}, expected the prior N(0, I)")
    R = checks.examples("rotation", rotation)
    checks.shape("rotation", R, (vae.latent_dim, vae.latent_dim), "one row for each latent")
    off = float(np.abs(R @ R.T - np.eye(len(R))).max())
    if off > 1e-5:
        raise ValueError(f"rotation: got R R^T off the identity by {off:.2g}, expected an orthogonal matrix")
    R = asarray(R.astype(next(vae.parameters()).dtype))
    other = VAE(
        TurnedEncoder(vae.encoder, R),
        TurnedDecoder(vae.decoder, R),
        vae.latent_dim,
        vae.likelihood_name,
        vae.beta,
        levels=vae.levels,
        classes=vae.classes,
        free_bits=vae.free_bits,
    )
    other.decoder_log_var, other.example_shape = vae.decoder_log_var, vae.example_shape
    return other
