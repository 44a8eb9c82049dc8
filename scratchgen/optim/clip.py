"""Gradient clipping by the norm over all parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..autograd import Tensor


def clip_grad_norm(params: Tensor | Iterable[Tensor], max_norm: float) -> Any:
    """Scale all gradients, in place, so that their joint Euclidean norm is at most `max_norm`.

    ::

        g <- g min(1, max_norm / |g|),     |g| over the gradients of all parameters together
                                                                                      (gradient-clipping)

    Parameters
    ----------
    params : Parameter or iterable of Parameter
        Those without a gradient are passed over.
    max_norm : float
        Positive.

    Returns
    -------
    0-d array
        The norm before clipping (on a GPU it stays there, so that no step waits for it).

    Examples
    --------
    >>> x = Tensor(np.zeros(2), requires_grad=True)
    >>> x.grad = np.array([3.0, 4.0])
    >>> norm = clip_grad_norm(x, max_norm=1.0)
    >>> float(norm), x.grad.round(4)
    (5.0, array([0.6, 0.8]))
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm: got {max_norm}, expected a positive number")
    parameters = [params] if isinstance(params, Tensor) else params
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return np.zeros(())
    norm = np.sqrt(sum(np.dot(g.reshape(-1), g.reshape(-1)) for g in gradients))
    scale = np.minimum(max_norm / (norm + 1e-6), 1)  # (gradient-clipping)
    for g in gradients:
        g *= scale
    return norm
