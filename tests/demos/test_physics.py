"""The lesson on physics: its laws are the worlds', and its page has what it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import physics
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


@pytest.mark.host_only
def test_the_page_is_written(tmp_path: Path) -> None:
    run = Run("physics", root=tmp_path)
    outcome = physics.lesson(physics.Options(quick=True, steps=2, rigs=200), run)
    assert {"the law: unobeyed", "rods: mean of u off by"} <= set(outcome.numbers)
    page = run.write_report("Physics").read_text(encoding="utf-8")
    assert "a wrong law" in page
