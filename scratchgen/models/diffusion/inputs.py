"""What a diffusion model checks of its arguments before it works on them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd import raw
from ...backend import Array, asarray
from ...nn.functional import check_indices
from ..inputs import check_batch, check_example_shape
from .prediction import PREDICTIONS
from .reverse import VARIANCES
from .schedule import Schedule


def check_options(
    network: Any,
    schedule: Any,
    shape: Any,
    variance: Any,
    prediction: Any,
    label_dropout: Any,
    bound_weight: Any,
) -> tuple[int, ...]:
    """`shape` as a tuple, if the options of a DDPM make sense.

    Raises
    ------
    TypeError, ValueError
        Naming the first that does not.
    """
    if not callable(network):
        raise TypeError(f"network: got {type(network).__name__}, expected a Module, called as network(xt, t)")
    if not isinstance(schedule, Schedule):
        raise TypeError(
            f"schedule: got {type(schedule).__name__}, expected a Schedule such as cosine_schedule(1000)"
        )
    try:
        shape = check_example_shape(shape)
    except ValueError as error:
        raise ValueError(
            f"shape: got {shape!r}, expected (features,) or (channels, height, width)"
        ) from error
    for name, value, known in (("variance", variance, VARIANCES), ("prediction", prediction, PREDICTIONS)):
        if value not in known:
            raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(map(repr, known))}")
    if not _is_number(label_dropout) or not 0 <= label_dropout < 1:
        raise ValueError(f"label_dropout: got {label_dropout!r}, expected a probability less than 1")
    if not _is_number(bound_weight) or not 0 <= bound_weight < math.inf:
        raise ValueError(f"bound_weight: got {bound_weight!r}, expected a finite number, 0 or more")
    return shape


def check_data(
    x: Any, shape: tuple[int, ...], levels: int | None = None, batch: int | None = None, name: str = "x0"
) -> Any:
    """`x`, if it is a batch of finite examples of a shape, with `levels` within [-1, 1].

    The values are looked at in host memory only: on a GPU the host would have to wait for them.

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    check_batch(x, shape, name=name)
    if batch is not None and len(x) != batch:
        raise ValueError(f"{name}: got {len(x)} examples, expected {batch}, as many as x0 has")
    if levels is not None and isinstance(raw(x), np.ndarray):
        low, high = raw(x).min(), raw(x).max()
        if low < -1 or high > 1:
            raise ValueError(
                f"{name}: got numbers from {low:g} to {high:g}, expected -1 to 1; "
                "pixels in [0, 1] become such by 2 * x - 1"
            )
    return x


def check_times(t: Any, T: int, batch: int) -> Array:
    """The times as an array (batch,) on the device; a single number serves all.

    Raises
    ------
    TypeError, ValueError
        If they are no whole numbers, of a wrong shape, or (on the host) outside 1 .. T.
    """
    t = raw(t)
    if isinstance(t, int | np.integer | np.ndarray) and not isinstance(t, bool) and np.ndim(t) == 0:
        t = asarray(np.full(batch, t))
    if not hasattr(t, "dtype") or t.dtype.kind not in "iu":
        given = f"an array of {t.dtype}" if hasattr(t, "dtype") else repr(t)
        raise TypeError(f"t: got {given}, expected whole numbers in 1 .. {T}")
    if tuple(t.shape) != (batch,):
        raise ValueError(f"t: got shape {tuple(t.shape)}, expected ({batch},), a time for each example")
    if isinstance(t, np.ndarray) and batch and not (t.min() >= 1 and t.max() <= T):
        raise ValueError(f"t: got numbers from {t.min()} to {t.max()}, expected 1 to T = {T}")
    return t


def check_labels(labels: Any, classes: int | None, batch: int) -> Array | None:
    """The labels as an array (batch,) on the device: "none", which is `classes`, for all if none are given.

    Raises
    ------
    TypeError, ValueError, IndexError
        If the model has no classes, or labels are no whole numbers, of a wrong shape, or (on the host) name
        no class.
    """
    if classes is None:
        if labels is not None:
            raise ValueError("labels: got some, expected none: the model was made without classes")
        return None
    if labels is None:
        return asarray(np.full(batch, classes))
    labels = asarray(np.full(batch, labels)) if np.ndim(labels) == 0 else asarray(labels)
    if tuple(labels.shape) != (batch,):
        raise ValueError(
            f"labels: got shape {tuple(labels.shape)}, expected ({batch},), one for each example"
        )
    check_indices("labels", labels, classes)
    return labels


def check_guidance(guidance: Any, labels: Any) -> None:
    """That the weight of the guidance is a number, and 0 without labels, which it would exaggerate.

    Raises
    ------
    ValueError
        Saying what was given.
    """
    if not _is_number(guidance) or not math.isfinite(guidance):
        raise ValueError(f"guidance: got {guidance!r}, expected a finite number")
    if guidance and labels is None:
        raise ValueError(
            f"guidance: got {guidance} without labels, expected 0: there is no class to go towards"
        )


def check_eta(eta: Any) -> None:
    """That the share of new noise is in [0, 1].

    Raises
    ------
    ValueError
        Saying what was given.
    """
    if not _is_number(eta) or not 0 <= eta <= 1:
        raise ValueError(
            f"eta: got {eta!r}, expected a number from 0 (no new noise) to 1 (as much as DDPM's)"
        )


def check_output(output: Any, shape: tuple[int, ...], variance: str) -> None:
    """That what a network gave for inputs of a shape is of the right shape.

    Raises
    ------
    TypeError, ValueError
        Saying which one that would be.
    """
    batch, channels, *rest = shape
    learned = variance == "learned"
    expected = (batch, 2 * channels if learned else channels, *rest)
    if not hasattr(output, "shape"):
        raise TypeError(
            f"network: gave {type(output).__name__}, expected an array or Tensor of shape {expected}"
        )
    if tuple(output.shape) != expected:
        reason = "twice the channels: the learned variance needs the second half" if learned else "like xt"
        raise ValueError(f"network: gave shape {tuple(output.shape)}, expected {expected}, {reason}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
