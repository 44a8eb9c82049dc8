"""Latent planes: a model's codes of images, and its decoder, which the page runs wherever the point is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import asnumpy
from ...nn import Identity, Linear, Module, ReLU, Unflatten
from .figure import Explorable, pack

LEVELS = 255


@dataclass(frozen=True, eq=False)
class Plane:
    """A model with two latents.

    `output` is "sigmoid" where the decoder gives logits, else "identity". Planes of one `kind` share a place
    in the page, where a slider chooses between them by `beta`.
    """

    name: str
    kind: str
    decoder: Module
    codes: Any
    output: str = "sigmoid"
    beta: float | None = None


def planes(models: Sequence[Plane], images: Any, labels: Any, train: Any, caption: str) -> Explorable:
    """Drag a point over the latent plane, and see what it decodes to.

    Parameters
    ----------
    models : sequence of Plane
    images : array, shape (n, 1, side, side)
        The images whose `codes` the models have, for a typical distance between two of one class.
    labels : array of int, shape (n,)
    train : array, shape (m, 1, side, side)
        The images that the models learnt from, among which the page looks for the nearest.
    caption : str

    Raises
    ------
    ValueError
        If the codes are not of two numbers, or the images not square and grey.
    TypeError
        If a decoder is not of fully connected layers with ReLU.
    """
    images, train, labels = asnumpy(images), asnumpy(train), asnumpy(labels)
    if train.ndim != 4 or train.shape[1] != 1 or train.shape[2] != train.shape[3]:
        raise ValueError(f"train: got shape {train.shape}, expected (m, 1, side, side)")
    for model in models:
        if asnumpy(model.codes).shape != (len(labels), 2):
            raise ValueError(
                f"codes of {model.name}: got shape {asnumpy(model.codes).shape}, expected ({len(labels)}, 2)"
            )
    data = {
        "side": train.shape[2],
        "scale": LEVELS,
        "images": pack(np.round(LEVELS * train.reshape(len(train), -1)).astype(np.uint8)),
        "labels": pack(labels.astype(np.uint8)),
        "typical": typical_distance(images, labels),
        "models": [
            {
                "name": model.name,
                "kind": model.kind,
                "beta": model.beta,
                "first": model.beta == 1,
                "codes": pack(model.codes),
                "decoder": {"output": model.output, "layers": dense_layers(model.decoder)},
            }
            for model in models
        ],
    }
    return Explorable("planes", data, caption)


def dense_layers(decoder: Module) -> list[list[dict[str, Any]]]:
    """The weights and biases of fully connected layers, ReLU between them, as `planes.js` has them."""
    layers, expects_linear = [], True
    for _, layer in decoder.named_modules():
        if isinstance(layer, Linear) and expects_linear:
            bias = np.zeros(layer.weight.shape[0]) if layer.bias is None else layer.bias.data
            layers.append([pack(layer.weight.data), pack(bias)])
            expects_linear = False
        elif isinstance(layer, ReLU) and not expects_linear:
            expects_linear = True
        elif not list(layer.children()) and not isinstance(layer, Unflatten | Identity):
            raise TypeError(f"decoder: got {layer!r}, expected Linear layers with ReLU between them")
    return layers


def typical_distance(images: np.ndarray, labels: np.ndarray) -> float:
    """The median Euclidean distance of an image from the next of its class, in the order given."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    found = []
    for label in np.unique(labels):
        same = flat[labels == label]
        found += np.linalg.norm(same[1:] - same[:-1], axis=1).tolist()
    return float(np.median(found)) if found else 0.0
