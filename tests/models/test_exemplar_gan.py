"""ExemplarGAN at its doors: bit for bit outside the hole, bad input, training, resumption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE, ExemplarGAN
from scratchgen.models.vae import fill_in
from scratchgen.networks import ConvEncoder, FillingNetwork
from scratchgen.nn import Module
from scratchgen.optim import Adam
from scratchgen.training import Run, fit_adversarial

SHAPE = (3, 8, 8)


def model(**settings: Any) -> ExemplarGAN:
    settings = {"latent_dim": 2, "widths": (4, 8), "features": 16, "rng": RandomStream(1)} | settings
    return ExemplarGAN.convolutional(SHAPE, **settings)


def cases(n: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of one colour each; the exemplar has it too, and the rest of the picture does not."""
    colour = np.random.default_rng(0).uniform(0.2, 0.8, (n, 3, 1, 1)).astype(np.float32)
    masks = np.zeros((n, 8, 8), bool)
    masks[:, 2:6, 1:5] = True
    images = np.where(masks[:, None], colour, np.float32(0.5))
    return images, masks, np.broadcast_to(colour, images.shape).copy()


def on_device(*arrays: np.ndarray) -> list[Any]:
    return [sg.asarray(a) for a in arrays]


@pytest.mark.parametrize("axes", [3, 4])
def test_outside_the_holes_every_bit_stays(axes: int) -> None:
    images, masks, exemplars = cases()
    images[0, 0, 0, :3] = [-0.0, 1e-40, 3.0]
    given = masks if axes == 3 else masks[:, None]
    filled = sg.asnumpy(model().fill(*on_device(images, given, exemplars), RandomStream(2)))
    outside = ~np.broadcast_to(masks[:, None], images.shape)
    assert filled.dtype == images.dtype
    assert filled[outside].tobytes() == images[outside].tobytes()
    assert (filled[~outside] != images[~outside]).any()


def test_what_the_hole_hides_has_no_influence() -> None:
    images, masks, exemplars = cases()
    hidden = np.where(masks[:, None], np.float32(123), images)
    gan = model()
    first, second = (
        sg.asnumpy(gan.fill(*on_device(x, masks, exemplars), RandomStream(2))) for x in (images, hidden)
    )
    assert (first == second).all()


def test_a_picture_is_filled_the_same_alone_and_among_others() -> None:
    arrays, gan = cases(), model()
    all_of_them = sg.asnumpy(gan.fill(*on_device(*arrays), RandomStream(2)))
    rng = RandomStream(2).part(0, 2, of=6)
    two = sg.asnumpy(gan.fill(*on_device(*(a[:2] for a in arrays)), rng))
    np.testing.assert_allclose(two, all_of_them[:2], rtol=1e-5, atol=1e-6)


def train(gan: ExemplarGAN, steps: int, run: Run | None = None, **settings: Any) -> Any:
    players = (Adam(part.parameters(), 1e-2, (0.5, 0.99)) for part in (gan.discriminator, gan.generator))
    return fit_adversarial(
        gan, cases(96), *players, steps=steps, batch_size=32, run=run, quiet=True, **settings
    )


def test_the_colour_of_the_exemplar_is_learnt() -> None:
    gan, (images, masks, exemplars) = model(), cases()
    rows = train(gan, 60)
    filled = sg.asnumpy(gan.fill(*on_device(images, masks, exemplars), RandomStream(3)))
    hole = np.broadcast_to(masks[:, None], images.shape)
    assert np.abs(filled - images)[hole].mean() < 0.6 * np.abs(0.5 - images)[hole].mean()
    assert {"discriminator loss", "generator loss", "accuracy"} <= set(rows[-1])


def test_a_training_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    whole, halves = model(), model()
    train(whole, 4)
    run = Run("exemplar", root=tmp_path)
    train(halves, 2, run)
    again = model()
    train(again, 4, run, resume=run.folder)
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert (sg.asnumpy(a.data) == sg.asnumpy(b.data)).all()


def test_the_discriminators_step_leaves_the_generator_alone() -> None:
    gan = model()
    loss = gan.discriminator_loss(*on_device(*cases()), RandomStream(0))
    assert all(not sg.asnumpy(g).any() for g in sg.grad(loss, gan.generator.parameters()))


BAD = [
    ("masks", lambda m: m.astype(np.float32), TypeError, "masks: got an array of float32, expected bool"),
    ("masks", lambda m: m.astype(np.uint8), TypeError, "masks: got an array of uint8, expected bool"),
    ("masks", lambda m: m[:, :4], ValueError, r"masks: got shape \(6, 4, 8\), expected \(6, 1, 8, 8\)"),
    ("masks", lambda m: m[:2], ValueError, r"masks: got shape \(2, 8, 8\)"),
    ("masks", lambda m: [[True]], TypeError, "masks: got list"),
    (
        "images",
        lambda x: x[:, :2],
        ValueError,
        r"exemplars: got shape \(6, 3, 8, 8\), expected \(6, 2, 8, 8\)",
    ),
    ("images", lambda x: x[0], ValueError, r"images: got shape \(3, 8, 8\)"),
    ("images", lambda x: x[:0], ValueError, "images: got shape"),
    ("images", lambda x: (x * 255).astype(np.uint8), TypeError, "images: got an array of uint8"),
    ("exemplars", lambda x: x[:3], ValueError, r"exemplars: got shape \(3, 3, 8, 8\)"),
    ("exemplars", lambda x: x.astype(np.float64), TypeError, "exemplars: got float64, expected float32"),
]


@pytest.mark.parametrize(("name", "spoil", "error", "message"), BAD)
@pytest.mark.parametrize("method", ["fill", "discriminator_loss", "generator_loss"])
def test_bad_input_is_named_before_any_work(
    name: str, spoil: Any, error: type[Exception], message: str, method: str
) -> None:
    given = dict(zip(("images", "masks", "exemplars"), cases(), strict=True))
    given[name] = spoil(given[name])
    arrays = [sg.asarray(a) if isinstance(a, np.ndarray) else a for a in given.values()]
    gan, rng = model(), RandomStream(0)
    gan.generator.forward = None  # nothing is computed
    with pytest.raises(error, match=message):
        getattr(gan, method)(*arrays, rng)


@pytest.mark.host_only
def test_a_mask_without_a_hole_and_numbers_that_are_none_are_named() -> None:
    images, masks, exemplars = cases()
    masks[[2, 4]] = False
    with pytest.raises(
        ValueError, match="masks: got 2 without a hole, the first at 2, expected True somewhere"
    ):
        model().fill(images, masks, exemplars, RandomStream(0))
    with pytest.raises(ValueError, match="masks: got 2 without a hole"):
        fill_in(VAE.dense(SHAPE, 4, 2), images, masks, RandomStream(0))
    exemplars[3, 0, 1, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"exemplars: got 1 NaN or infinite numbers, the first at \(3, 0, 1, 1\)"
    ):
        model().fill(images, cases()[1], exemplars, RandomStream(0))


class Vector(Module):
    """No picture."""

    def forward(self, z: Any, known: Any) -> Any:
        return z


def test_networks_of_wrong_shapes_are_named() -> None:
    arrays = on_device(*cases())
    judge = ConvEncoder((7, 8, 8), 2, (4,))
    with pytest.raises(ValueError, match=r"generator\(z, known\): got shape"):
        ExemplarGAN(Vector(), judge, 2).fill(*arrays, RandomStream(0))
    with pytest.raises(ValueError, match=r"discriminator\(x\): got shape \(6, 2\), expected \(6,\)"):
        ExemplarGAN(model().generator, judge, 2).generator_loss(*arrays, RandomStream(0))
    with pytest.raises(TypeError, match="generator: got str"):
        ExemplarGAN("none", judge, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="weight"):
        ExemplarGAN(Vector(), judge, 2, weight=-1.0)
    with pytest.raises(
        ValueError, match=r"shape: got \(3, 6, 8\), expected a height and a width divisible by 4"
    ):
        FillingNetwork((3, 6, 8), 7, 2, (4, 8))
