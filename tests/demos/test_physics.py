"""The lesson on physics: its laws are the worlds', and its page has what it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _physics_page, physics
from demos._physics_critics import RodCritic
from scratchgen.training import Run


def softplus_inverse(y: float) -> float:
    return float(np.log(np.expm1(y)))


@pytest.mark.parametrize(("law", "left"), [(physics.damped, 0.0), (physics.frictionless, 1.0)])
def test_the_laws_are_those_of_the_rigs(law: object, left: float) -> None:
    """u = e^(-t/2) cos 2t obeys u'' + u' + 17/4 u = 0; without friction what is left is -u'."""
    t = np.linspace(0, 3, 7)
    points = sg.tensor(sg.asarray(t[None, :, None]), requires_grad=True)
    time = points[..., 0]
    u = sg.exp(-0.5 * time) * sg.autograd.cos(2.0 * time)
    constants = [0 * time + softplus_inverse(1.0), 0 * time + softplus_inverse(17 / 16)]
    found = law(sg.stack([u, *constants], axis=2), points, None)  # type: ignore[operator]
    slope = np.exp(-t / 2) * (-np.cos(2 * t) / 2 - 2 * np.sin(2 * t))
    np.testing.assert_allclose(sg.asnumpy(found.data)[0], -left * slope, atol=1e-12)


def test_a_rods_heating_follows_from_its_temperature() -> None:
    """k = e^x, u = 1 - x^2: f = -1/10 (k u')' = (2 + 2 x) e^x / 10."""
    x = np.linspace(-1, 1, 5)
    points = sg.tensor(sg.asarray(x[None, :, None]), requires_grad=True)
    place = points[..., 0]
    fields = sg.stack([sg.exp(place), 1.0 - place * place], axis=2)
    read = sg.asnumpy(physics.readings(fields, points, None).data)[0]
    right = np.concatenate([x, 1 - x**2, 4 * (2 + 2 * x) * np.exp(x) / 10])
    np.testing.assert_allclose(read, right, atol=1e-12)


def test_a_rod_begins_as_one_of_average_material_and_ends_at_zero() -> None:
    rod = physics.Rod(sg.RandomStream(0))
    for parameter in rod.parameters():
        parameter.data[...] = 0
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    fields = sg.asnumpy(rod(sg.asarray(np.ones((1, 32), np.float32)), sg.asarray(x[None, :, None])))
    np.testing.assert_allclose(fields[0, :, 0], 1)
    np.testing.assert_allclose(fields[0, :, 1], 2.5 * (1 - x * x), atol=1e-6)


def test_the_critic_sees_squares() -> None:
    """Readings as far above as below their mean differ to it by the first half of what it sees only."""
    critic = RodCritic(np.array([1.0, 2.0]), sg.RandomStream(0))
    first = critic.network[0]
    first.weight.data[:, :2] = 0
    above, below = (
        sg.asarray(np.array([[1.0, 2.0]]) + s * np.array([[0.5, 3.0]]), np.float32) for s in (1, -1)
    )
    np.testing.assert_allclose(sg.asnumpy(critic(above)), sg.asnumpy(critic(below)))


def test_errors_are_relative_and_correlations_are_of_the_same_places() -> None:
    rng = np.random.default_rng(0)
    k = 2 + rng.normal(size=(4000, 51)).cumsum(axis=1)
    right = _physics_page.Rods(k, 3 * k + 1)
    table = _physics_page.rod_errors(_physics_page.Rods(1.5 * k, right.u), right)
    assert [row[0] for row in table] == ["", "k", "u", "k with u"]
    assert table[1][1:] == ["50.0%", "50.0%", "0.00"]
    assert table[2][1:] == ["0.0%", "0.0%", "0.00"]
    assert table[3][3] == "0.00"
    turned = _physics_page.Rods(k, -right.u)
    assert _physics_page.rod_errors(turned, right)[3][3] == "2.00"


@pytest.mark.host_only
def test_the_page_is_written(tmp_path: Path) -> None:
    run = Run("physics", root=tmp_path)
    outcome = physics.lesson(physics.Options(quick=True, steps=2, rigs=200), run)
    assert {"the law: unobeyed", "rods: mean of k off by"} <= set(outcome.numbers)
    page = run.write_report("Physics").read_text(encoding="utf-8")
    assert "a wrong law" in page
