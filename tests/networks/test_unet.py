"""UNet: shapes, what the result depends on, derivatives, and images that do not divide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from strict import host_synchronisations
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import UNet
from scratchgen.networks.unet import ImageAttention, ResidualBlock
from scratchgen.nn import functional as F
from scratchgen.optim import Adam


def small(**settings: Any) -> UNet:
    defaults = {"channels": 1, "width": 4, "multipliers": (1, 2), "groups": 2, "features": 16}
    return UNet(**{**defaults, "rng": RandomStream(0), **settings})


def noise(*shape: int, dtype: Any = np.float64) -> Any:
    return RandomStream(1, *shape).normal(shape, dtype)


T = np.array([1, 500])


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, (4, 6)),
        ({"channels": 3, "out_channels": 6, "multipliers": (1, 2, 3), "blocks": 2}, (8, 4)),
        ({"multipliers": (2,), "attention": (0,), "heads": 2}, (3, 5)),
        ({"attention": (0, 1)}, (2, 2)),
    ],
)
def test_the_result_has_the_images_size(settings: dict[str, Any], size: tuple[int, int]) -> None:
    network = small(**settings)
    x = noise(2, network.channels, *size, dtype=np.float32)
    y = network(x, sg.asarray(T))
    assert y.shape == (2, settings.get("out_channels", 1), *size)
    assert y.dtype == np.float32
    assert network(x[:0], sg.asarray(T[:0])).shape == (0, *y.shape[1:])


@pytest.mark.parametrize(
    ("width", "blocks", "classes", "count"),
    [
        (32, 1, None, 394_209),
        (64, 1, None, 1_492_801),
        (32, 1, 10, 394_209 + 10 * 128),
        # A second block on each level: from 32, 64, 64 channels down, and from twice 64, 32 up.
        (32, 2, None, 394_209 + 22_752 + 2 * 82_368 + 127_616 + 34_112),
    ],
)
def test_how_many_parameters_there_are(width: int, blocks: int, classes: int | None, count: int) -> None:
    network = UNet(1, width=width, blocks=blocks, classes=classes)
    assert sum(p.size for p in network.parameters()) == count


def test_every_parameter_and_the_input_have_a_gradient() -> None:
    network = small(attention=(1,), classes=3, blocks=2).to(np.float64)
    x = sg.Tensor(noise(2, 1, 4, 4), requires_grad=True)
    y = network(x, sg.asarray(T), sg.asarray(np.array([0, 2])))
    (y * y).sum().backward()
    for name, parameter in network.named_parameters():
        assert np.abs(sg.asnumpy(parameter.grad)).max() > 0, name
    assert np.abs(sg.asnumpy(x.grad)).max() > 0
    assert_close(sg.asnumpy(network.label.weight.grad)[1], np.zeros(16))


def test_the_result_depends_on_time_label_and_far_pixels_and_on_no_other_image() -> None:
    network = small(attention=(1,), classes=2).to(np.float64)
    x, t, labels = noise(2, 1, 8, 8), np.array([3, 4]), np.array([0, 1])

    def change(**new: Any) -> list[bool]:
        """Of which images the result changes."""
        given = {"x": x, "t": t, "labels": labels}
        now, before = (
            sg.asnumpy(network(*(sg.asarray(value[name]) for name in given)))
            for value in ({**given, **new}, given)
        )
        return [bool(d.max() > 1e-6) for d in np.abs(now - before).reshape(2, -1)]

    assert change(t=np.array([3, 5])) == [False, True]
    assert change(labels=np.array([1, 1])) == [True, False]
    moved = sg.asnumpy(x).copy()
    moved[0] += 1
    assert change(x=sg.asarray(moved)) == [True, False]


def test_derivatives_of_its_parts_agree_with_finite_differences() -> None:
    block = ResidualBlock(2, 4, 3, groups=2).to(np.float64)
    sg.check_gradients(block, noise(1, 2, 2, 2), noise(1, 3))
    attention = ImageAttention(2, 1, 1).to(np.float64)
    sg.check_gradients(attention, noise(1, 2, 2, 2))


def test_derivatives_of_the_whole_agree_with_finite_differences() -> None:
    network = small(width=2, groups=1, features=8, attention=(1,)).to(np.float64)
    sg.check_gradients(lambda x: network(x, sg.asarray(T[:1])), noise(1, 1, 2, 2), order=1)


def test_attention_of_an_image_is_attention_of_its_pixels() -> None:
    layer = ImageAttention(4, 2, 2).to(np.float64)
    x = noise(2, 4, 3, 2)
    y = sg.asnumpy(layer(x))
    pixels = layer.norm(x).reshape((2, 4, 6)).transpose((0, 2, 1))
    expected = sg.asnumpy(layer.attention(pixels, pixels, pixels)[0])
    assert_close(y - sg.asnumpy(x), expected.transpose(0, 2, 1).reshape(2, 4, 3, 2), rtol=1e-11, atol=1e-12)


def test_it_learns_to_denoise() -> None:
    network = small(width=8)
    clean = sg.asarray(np.sign(np.sin(np.arange(64.0).reshape(1, 1, 8, 8) // 4)).astype(np.float32))
    eps = noise(16, 1, 8, 8, dtype=np.float32)
    t = sg.asarray(np.full(16, 10))
    optimizer = Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss = F.mse_loss(network(0.6 * clean + 0.8 * eps, t), eps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.4 * losses[0]


@pytest.mark.host_only
def test_a_training_step_neither_waits_for_the_device_nor_uploads_anything() -> None:
    sg.use_device("strict")
    network = small(attention=(1,), classes=2)
    x, t, labels = noise(2, 1, 4, 4, dtype=np.float32), sg.asarray(T), sg.asarray(np.array([0, 1]))
    with host_synchronisations() as traffic:
        y = network(x, t, labels)
        (y * y).sum().backward()
    assert (traffic.synchronisations, traffic.uploads) == (0, 0)


def test_what_does_not_fit_is_named() -> None:
    network, t = small(multipliers=(1, 1, 2)), sg.asarray(T)
    with pytest.raises(ValueError, match=r"xt: got 8 x 6 pixels, .* divisible by 4"):
        network(noise(2, 1, 8, 6, dtype=np.float32), t)
    with pytest.raises(
        ValueError, match=r"xt: got shape \(2, 3, 8, 8\), expected \(batch, 1, height, width\)"
    ):
        network(noise(2, 3, 8, 8), t)
    x = noise(2, 1, 8, 8, dtype=np.float32)
    with pytest.raises(ValueError, match=r"t: got shape \(1,\), expected \(2,\)"):
        network(x, t[:1])
    with pytest.raises(
        ValueError, match="labels: got some, expected none: the model was made without classes"
    ):
        network(x, t, t)
    with pytest.raises(ValueError, match="labels: got none, expected one of 3 classes for each example"):
        small(classes=3)(x, t)
    with pytest.raises(ValueError, match=r"labels: got shape \(1,\), expected \(2,\)"):
        small(classes=3)(x, t, t[:1])
    for settings, message in (
        ({"multipliers": ()}, "multipliers: got none"),
        ({"groups": 3}, r"groups: got 3, expected a divisor of all channels, here \[4, 8\]"),
        ({"attention": (2,)}, "attention: got level 2, expected 0 to 1"),
        ({"attention": (0,), "heads": 3}, "heads: got 3, expected a divisor of the 4 channels"),
        ({"blocks": 0}, "blocks: got 0"),
        ({"features": 12}, "features: got 12, expected a multiple of 8"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**settings)
