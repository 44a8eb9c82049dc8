"""PhysicsInformedGAN at its doors: shapes, points, laws, training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import PhysicsInformedGAN
from scratchgen.models.gan import slope
from scratchgen.networks import MLP, FieldNetwork
from scratchgen.optim import Adam
from scratchgen.training import fit_adversarial

SENSORS = np.array([[0.0], [0.5], [1.0]])


def decay(fields: Any, points: Any, z: Any) -> Any:
    return slope(fields[..., 0], points)[..., 0] + fields[..., 0]


def model(residual: Any = decay, **settings: Any) -> PhysicsInformedGAN:
    settings = {"sensors": SENSORS, **settings}
    return PhysicsInformedGAN(
        FieldNetwork(2, 1, 1, [8], rng=RandomStream(1)), MLP([3, 8, 1]), 2, residual, **settings
    )


def test_samples_are_functions_of_any_points() -> None:
    gan, points = model(), np.linspace(0, 1, 9)[:, None]
    assert gan.sample(4, RandomStream(0)).shape == (4, 3, 1)
    fine = sg.asnumpy(gan.sample(4, RandomStream(0), points=points))
    np.testing.assert_allclose(fine[:, ::4], sg.asnumpy(gan.sample(4, RandomStream(0))), rtol=1e-5)
    assert gan.sample(0, RandomStream(0)).shape == (0, 3, 1)


def test_training_makes_curves_that_obey() -> None:
    """Data 2 e^(-x) with a random factor, seen at three points: the law is learnt at all others."""
    factor = 1 + 0.2 * np.random.default_rng(0).standard_normal((512, 1))
    data = (factor * np.exp(-SENSORS.T)).astype(np.float32)
    gan = model(weight=1.0, collocation=np.linspace(0, 1, 5)[:, None])
    z = RandomStream(3).normal((64, 2))
    before = gan.law(z).item()
    optimisers = (Adam(part.parameters(), 5e-3) for part in (gan.discriminator, gan.generator))
    fit_adversarial(gan, data, *optimisers, steps=150, batch_size=64, quiet=True)
    values = sg.asnumpy(gan.sample(256, RandomStream(4)))[:, :, 0].mean(axis=0)
    assert gan.law(z).item() < max(0.2 * before, 0.02)
    assert values[0] > values[1] > values[2] > 0.2


def test_readings_may_differentiate() -> None:
    def read(fields: Any, points: Any, z: Any) -> Any:
        return sg.cat([fields[..., 0], slope(fields[..., 0], points)[..., 0]], axis=1)

    network, judge = FieldNetwork(2, 1, 1, [8]), MLP([6, 8, 1])
    gan = PhysicsInformedGAN(network, judge, 2, None, sensors=SENSORS, readings=read)
    terms = gan.discriminator_terms(sg.asarray(np.zeros((5, 6), np.float32)), RandomStream(0))
    gradients = sg.grad(gan.generator_loss(5, RandomStream(1)), gan.generator.parameters())
    assert np.isfinite(terms["loss"].item())
    assert any(np.abs(sg.asnumpy(g)).max() > 0 for g in gradients)


def test_the_discriminators_step_leaves_the_generator_alone() -> None:
    gan = model()
    loss = gan.discriminator_loss(sg.asarray(np.zeros((4, 3), np.float32)), RandomStream(0))
    assert all(not sg.asnumpy(g).any() for g in sg.grad(loss, gan.generator.parameters()))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sensors": [0.0, 1.0]}, r"sensors: got the shape \(2,\), expected numbers of shape"),
        ({"sensors": np.zeros((0, 1))}, r"sensors: got the shape \(0, 1\)"),
        ({"sensors": [[np.nan]]}, "sensors"),
        ({"collocation": np.zeros((2, 2))}, "collocation: got points of 2 numbers, expected 1"),
        ({"weight": -1.0}, "weight"),
        ({"residual": 3}, "residual: got int, expected a function"),
        ({"readings": "all"}, "readings: got str, expected a function"),
    ],
)
def test_what_makes_no_sense_is_named(settings: dict[str, Any], message: str) -> None:
    residual = settings.pop("residual", decay)
    with pytest.raises((TypeError, ValueError), match=message):
        PhysicsInformedGAN(
            FieldNetwork(2, 1, 1, [8]), MLP([3, 8, 1]), 2, residual, **{"sensors": SENSORS, **settings}
        )


def test_a_residual_of_a_wrong_shape_is_named() -> None:
    gan = model(lambda fields, points, z: fields.sum())
    with pytest.raises(ValueError, match=r"residual: gave .*, expected \(4, 3\)"):
        gan.generator_loss(4, RandomStream(0))


def test_a_generator_that_is_no_function_of_points_is_named() -> None:
    class Vector(sg.nn.Module):
        def forward(self, z: Any, points: Any) -> Any:
            return z

    gan = PhysicsInformedGAN(Vector(), MLP([3, 1]), 2, decay, sensors=SENSORS)
    with pytest.raises(ValueError, match=r"generator\(z, points\)"):
        gan.generator_loss(4, RandomStream(0))


def test_readings_of_a_wrong_shape_are_named() -> None:
    gan = model()
    gan.readings = lambda fields, points, z: fields.sum()
    with pytest.raises(ValueError, match=r"readings: gave the shape .*, expected \(4, readings\)"):
        gan.generator_loss(4, RandomStream(0))


def test_labels_are_refused() -> None:
    with pytest.raises((TypeError, ValueError), match="labels"):
        model().sample(2, RandomStream(0), np.array([0, 1]))
