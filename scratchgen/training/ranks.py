"""A batch shared out among ranks: N of them take the step that one would have taken.

A loss is a mean over the batch. If rank r has n_r of its n examples, then

    L = sum_r (n_r / n) L_r,     so that     dL/dw = sum_r (n_r / n) dL_r/dw.              (ranks-gradient)

Each rank draws the random numbers of the whole batch and keeps those of its part (`RandomStream.part`), so
its examples see the noise that they would have seen; batch normalisation sums over the ranks
(`autograd/collective.py`). What is left is one sum of all gradients, after which every rank takes the same
step of the optimiser. Sums are added in another order than by one rank, and nothing else is different.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import Tensor, raw
from ..backend import Array, RandomStream, asarray, asnumpy, checks, current_ranks
from ..backend.ranks import Ranks, sharing_a_batch
from ..nn.context import layers_draw_from
from ..optim import Optimizer


@dataclass(frozen=True)
class Share:
    """What one rank has of a batch.

    Attributes
    ----------
    batch : array or tuple of arrays
        Its examples.
    rng : RandomStream
        That gives their numbers.
    weight : float
        n_r / n: the part of its mean in the mean over the batch.
    ranks : Ranks
    """

    batch: Any
    rng: RandomStream
    weight: float
    ranks: Ranks

    def weighted(self, loss: Tensor) -> Tensor:
        """The rank's summand of the loss, of which it takes derivatives."""
        return loss if self.ranks.size == 1 else loss * self.weight  # (ranks-gradient)

    def add_up(self, terms: Mapping[str, Any], parameters: Sequence[Tensor] = ()) -> dict[str, Any]:
        """The terms of the whole batch; and each parameter gets the gradient of the whole batch.

        One sum over the ranks does both. A parameter that no rank has a gradient for gets none.

        Parameters
        ----------
        terms : mapping
            Of the rank's part: means over it, by name.
        parameters : sequence of Parameter
            Their ``.grad`` are of the `weighted` loss.
        """
        values = {name: raw(value) for name, value in terms.items()}
        if self.ranks.size == 1:
            return values
        like = parameters[0].data if parameters else np.zeros(0)
        scaled = [asarray(value, like.dtype).reshape(1) * self.weight for value in values.values()]
        there = [np.full_like(like, p.grad is not None, shape=(1,)) for p in parameters]
        gradients = [np.zeros_like(p.data) if p.grad is None else p.grad for p in parameters]
        flat = self.ranks.sum(np.concatenate([g.reshape(-1) for g in (*scaled, *there, *gradients)]))
        stops = list(itertools.accumulate(x.size for x in (*scaled, *there, *gradients)))
        pieces = iter([flat[start:stop] for start, stop in itertools.pairwise([0, *stops])])
        summed = {name: next(pieces).reshape(()) for name in values}
        known = [bool(next(pieces)) for _ in parameters]
        for parameter, seen, gradient in zip(parameters, known, pieces, strict=True):
            parameter.grad = gradient.reshape(parameter.shape) if seen else None
        return summed


@contextmanager
def shared(batch: Any, rng: RandomStream) -> Iterator[Share]:
    """Within this context a step sees this rank's share of a batch: all of it, if there is one rank.

    Of fewer examples than ranks each rank takes all, and the mean over the ranks is that of equal numbers.

    Parameters
    ----------
    batch : array, or tuple of arrays of the same length
        The whole of it, on every rank.
    rng : RandomStream
        For the whole of it.
    """
    ranks = current_ranks()
    count = len(batch[0] if isinstance(batch, tuple) else batch)
    if ranks.size == 1:
        yield Share(batch, rng, 1.0, ranks)
        return
    divided = count >= ranks.size
    start, stop = ranks.part(count) if divided else (0, count)
    if divided:
        batch = tuple(x[start:stop] for x in batch) if isinstance(batch, tuple) else batch[start:stop]
        rng = rng.part(start, stop, of=count)
    weight = (stop - start) / count if divided else 1 / ranks.size  # (ranks-gradient)
    with sharing_a_batch(divided), layers_draw_from(rng.child("layers")):
        yield Share(batch, rng, weight, ranks)


def start_alike(*optimisers: Optimizer) -> None:
    """Give every rank the parameters of rank 0."""
    ranks = current_ranks()
    for optimiser in optimisers if ranks.size > 1 else ():
        optimiser.flat.attach()
        buffer = optimiser.flat.buffer
        buffer[...] = asarray(ranks.agree(asnumpy(buffer)), buffer.dtype)


def sampled(
    sample: Callable[..., Array], n: int, rng: RandomStream, labels: Array | None = None, **settings: Any
) -> Array:
    """``sample(n, rng, ...)`` of a model, drawn by all ranks together: the same examples, on each of them.

    Examples
    --------
    >>> from scratchgen.models import VAE
    >>> vae = VAE.dense(4, 8, latent_dim=2)
    >>> sampled(vae.sample, 5, RandomStream(0)).shape
    (5, 4)
    """
    n = checks.whole("n", n, 0)
    if labels is not None:
        settings["labels"] = labels
    ranks = current_ranks()
    if ranks.size == 1 or n < ranks.size:
        return sample(n, rng, **settings)
    start, stop = ranks.part(n)
    if labels is not None and np.ndim(labels):
        settings["labels"] = labels[start:stop]
    return ranks.gather(sample(stop - start, rng.part(start, stop, of=n), **settings))


def measured(measure: Callable[..., Any], x: Array, rng: RandomStream, **settings: Any) -> Array:
    """``measure(x, rng, ...)``, a number or an array for each example, measured by all ranks together. Raw.

    Examples
    --------
    >>> from scratchgen.models import VAE
    >>> vae = VAE.dense(4, 8, latent_dim=2)
    >>> measured(vae.log_marginal, np.ones((3, 4), np.float32), RandomStream(0), samples=5).shape
    (3,)
    """
    ranks, count = current_ranks(), len(x)
    if ranks.size == 1 or count < ranks.size:
        return raw(measure(x, rng, **settings))
    start, stop = ranks.part(count)
    return ranks.gather(raw(measure(x[start:stop], rng.part(start, stop, of=count), **settings)))
