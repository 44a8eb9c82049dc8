"""A sum over the ranks that share a batch, with its derivative.

Each rank r computes a loss L_r of its own, and what is minimised is L = sum over r of L_r. If y = sum over r
of x_r is seen by all ranks, then

    dL/dx_r = dL/dy = sum over s of dL_s/dy,                                              (ranks-adjoint)

the sum over the ranks of the cotangents: the operation is its own adjoint, and this line serves every order.
All ranks have to take derivatives alike, as they do all else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Array
from ..backend.ranks import is_shared, sum_of_parts
from .primitive import primitive
from .shapes import cat
from .tensor import raw


@primitive(lambda g, y, x: sum_over_ranks(g))  # (ranks-adjoint)
def sum_over_ranks(x: Array) -> Array:
    """The sum of `x` over the ranks that share the batch at hand; `x` itself where nobody does.

    Parameters
    ----------
    x : array
        Of the same shape on each rank.
    """
    return sum_of_parts(x)


def batch_mean(x: Any) -> Any:
    """The mean of x (examples, features) over all examples of a batch, whichever rank has them: (features,).

    For what is not linear in it: of a loss that is a mean over examples, `training.ranks` takes care.
    """
    if not is_shared():
        return x.mean(axis=0)
    sums = sum_over_ranks(cat([x.sum(axis=0), np.full_like(raw(x), len(x), shape=(1,))]))
    return sums[:-1] / raw(sums)[-1]
