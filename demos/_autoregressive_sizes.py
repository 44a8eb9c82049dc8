"""Networks and steps of the lesson on autoregressive models: what suits which images."""

from __future__ import annotations

from typing import Any, NamedTuple

from demos import _pictures

STEPS = {
    "digits": {"nade": 2000, "made": 2000, "pixelcnn": 500},
    "images": {"nade": 10_000, "made": 10_000, "pixelcnn": 1000},
    "published": {"nade": 60_000, "pixelcnn": 18_000},
}


class Size(NamedTuple):
    """What suits one size of images."""

    hidden_dim: int
    channels: int
    layers: int
    steps: dict[str, int]


DIGITS = Size(500, 32, 7, STEPS["digits"])
OWN = {  # by the side of the pictures: pixels are looked at one after another, so large ones take long
    31: Size(500, 32, 7, {"nade": 5000, "made": 5000, "pixelcnn": 600}),
    47: Size(300, 16, 7, {"nade": 2000, "made": 3000, "pixelcnn": 300}),
    64: Size(200, 12, 7, {"nade": 600, "made": 1500, "pixelcnn": 100}),
}


def sized(options: Any) -> Size:
    """What suits the size of the images."""
    return _pictures.by_size(OWN, options) if options.data == "folder" else DIGITS


def steps_of(name: str, options: Any) -> int:
    """How many training steps a model has."""
    if options.data == "folder":
        return sized(options).steps[name]
    world = "published" if options.published else "digits" if options.data == "digits" else "images"
    return STEPS[world][name]
