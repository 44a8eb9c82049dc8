"""SwapAutoencoder: one encoder, a decoder for each family of faces, and the exchange of the two.

Of every family f there are pictures x_f; no two families were ever seen in the same pose. One encoder E
reads them all, a decoder D_f of its own draws each family (the "deepfakes" of 2017):

    L = sum_f 1/n sum_i |x_f,i - D_f(E(x_f,i))|^2                                               (swap-loss)

Then a picture of family f is drawn as one of g:

    y = D_g(E(x_f))                                                                                  (swap)

The loss never asks for y. If the encoder gave the poses of g another code than those of f, by any map h that
can be undone, and the decoder of g undid it, every picture would be drawn as before, and no exchange: ::

    E'(x_g) = h(E(x_g)),  E'(x_f) = E(x_f),  D'_g(z) = D_g(h^-1(z)):   L' = L,  y' = D_g(h^-1(E(x_f)))
                                                                                               (swap-blind)

So what the decoders cannot undo is what makes the exchange work: the less they can do, the more the two
codes have to agree. A linear decoder can undo a linear map and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd import no_grad, raw, square, stack
from ..backend import Array, RandomStream, checks
from ..nn import Module, ModuleList
from ..nn.context import evaluating


class SwapAutoencoder(Module):
    """One encoder for all families and a decoder for each.

    Parameters
    ----------
    encoder : Module
        ``(batch, *shape) -> (batch, latent_dim)``.
    decoders : sequence of Module
        Each ``(batch, latent_dim) -> (batch, *shape)``; two or more.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import MLP
    >>> model = SwapAutoencoder(MLP([6, 8, 2]), [MLP([2, 8, 6]), MLP([2, 8, 6])])
    >>> model.swap(np.ones((4, 6), np.float32), 1).shape
    (4, 6)
    """

    def __init__(self, encoder: Module, decoders: Sequence[Module]) -> None:
        self.encoder = checks.instance("encoder", encoder, Module)
        if len(decoders) < 2:
            raise ValueError(f"decoders: got {len(decoders)}, expected one for each of two or more families")
        self.decoders = ModuleList(
            [checks.instance(f"decoders[{i}]", decoder, Module) for i, decoder in enumerate(decoders)]
        )

    def forward(self, x: Any, family: int) -> Any:
        """What the decoder of a family draws of the codes of pictures of any."""
        family = checks.whole("family", family, 0, len(self.decoders) - 1)
        drawn = self.decoders[family](self.encoder(x))
        return checks.shape(f"decoders[{family}](z)", drawn, tuple(x.shape), "like x")

    def loss(self, x: Array, rng: RandomStream | None = None, labels: Any = None) -> Any:
        """The squared error of what each family's decoder draws of its own pictures: equation swap-loss.

        Parameters
        ----------
        x : array, shape (batch, families, *shape)
            A picture of every family, which need have nothing in common.
        rng, labels
            Not used.

        Returns
        -------
        Tensor
            Summed over families and numbers of a picture, averaged over the batch; in squared brightness.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of as many families as there are decoders.
        """
        checks.labels(labels, len(checks.batch("x", x)), None)
        checks.shape("x", x, ("batch", len(self.decoders), ...), "a picture of every family")
        codes = self.encoder(x.reshape((-1, *x.shape[2:])))
        codes = codes.reshape((*x.shape[:2], *codes.shape[1:]))
        drawn = [decoder(codes[:, f]) for f, decoder in enumerate(self.decoders)]
        return square(x - stack(drawn, axis=1)).sum() / len(x)  # (swap-loss)

    def swap(self, x: Array, family: int) -> Array:
        """The pictures `x`, of whatever family, drawn as of another one: equation swap.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        family : int
            Whose decoder draws.

        Returns
        -------
        array, like `x`
            Raw.
        """
        checks.batch("x", x)
        with no_grad(), evaluating(self):
            return raw(self(x, family))  # (swap)
