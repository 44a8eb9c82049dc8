"""A batch without images passes through every layer of images, forward and back; or is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import nn
from scratchgen.networks import ConvDecoder, ConvEncoder

SHAPE = (0, 4, 6, 6)
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], tuple[int, ...]]] = {
    "Conv2d": (lambda: nn.Conv2d(4, 3, 3, stride=2), SHAPE, (0, 3, 2, 2)),
    "Conv2d groups": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4), SHAPE, SHAPE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 3, 2, stride=2), SHAPE, (0, 3, 12, 12)),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), SHAPE, (0, 4, 3, 3)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), SHAPE, (0, 4, 3, 3)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), SHAPE, (0, 4, 12, 12)),
    "Upsample bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), SHAPE, (0, 4, 12, 12)),
    "BatchNorm2d eval": (lambda: nn.BatchNorm2d(4).eval(), SHAPE, SHAPE),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), SHAPE, SHAPE),
    "GroupNormSiLU": (lambda: nn.GroupNormSiLU(2, 4), SHAPE, SHAPE),
    "LayerNorm": (lambda: nn.LayerNorm(6), SHAPE, SHAPE),
    "SiLU": (nn.SiLU, SHAPE, SHAPE),
    "GELU": (nn.GELU, SHAPE, SHAPE),
    "LeakyReLU": (nn.LeakyReLU, SHAPE, SHAPE),
    "ConvEncoder": (lambda: ConvEncoder((4, 8, 8), 3, (2, 2)), (0, 4, 8, 8), (0, 3)),
    "ConvDecoder": (lambda: ConvDecoder(3, (4, 8, 8), (2, 2)), (0, 3), (0, 4, 8, 8)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(name: str) -> None:
    make, shape, expected = LAYERS[name]
    layer = make()
    x = sg.tensor(np.zeros(shape, np.float32), requires_grad=True)
    y = layer(x)
    assert (y.shape, y.dtype) == (expected, np.float32)
    y.sum().backward()
    assert x.grad.shape == shape
    for parameter in layer.parameters():
        assert parameter.grad.shape == parameter.shape
        assert not sg.asnumpy(parameter.grad).any()


def test_batch_norm_in_training_needs_examples() -> None:
    with pytest.raises(ValueError, match="x: got 0 value per feature in training, expected at least 2"):
        nn.BatchNorm2d(4)(sg.asarray(np.zeros(SHAPE, np.float32)))
