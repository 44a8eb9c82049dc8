"""What a GAN checks of its labels and of its critic."""

from __future__ import annotations

from typing import Any

from ...autograd import raw
from ...backend import asarray
from ...backend.checks import indices as check_indices
from ...nn import BatchNorm1d, BatchNorm2d, Module


def check_labels(labels: Any, n: int, classes: int | None) -> Any:
    """The labels of `n` examples as a raw array; None for a model without classes.

    Raises
    ------
    TypeError, ValueError, IndexError
        If there are none but should be, or the other way round; if they are not `n` whole numbers or (on the
        host) name no class.
    """
    if labels is None and classes is None:
        return None
    if labels is None:
        raise ValueError(f"labels: got none, expected {n}, as the model has {classes} classes")
    if classes is None:
        raise ValueError("labels: got some, but the model was made without classes")
    labels = asarray(raw(labels))
    if tuple(labels.shape) != (n,):
        raise ValueError(f"labels: got shape {tuple(labels.shape)}, expected ({n},)")
    check_indices("labels", labels, classes)
    return labels


def check_critic(critic: Module) -> None:
    """Raise if the critic holds a batch norm: see `penalty`.

    Raises
    ------
    ValueError
        Naming the layer.
    """
    for path, module in critic.named_modules():
        if isinstance(module, BatchNorm1d | BatchNorm2d):
            raise ValueError(
                f"discriminator: got a {type(module).__name__} ({path}) with 'wasserstein-gp', whose penalty "
                "needs scores that depend on one example each; take LayerNorm or GroupNorm, or none"
            )
