"""The lesson on driving: units, weights, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import stats

import scratchgen as sg
from demos import _driving_page, driving as lesson
from scratchgen.backend import RandomStream
from scratchgen.data import driving
from scratchgen.models import VAE
from scratchgen.training import Run


def test_densities_are_per_unit_of_the_scenario_and_not_of_what_the_network_sees() -> None:
    vae = VAE.dense(10, 8, 3, "normal", sigma=0.7, rng=RandomStream(0))
    model = lesson.Scenarios(vae, np.arange(10.0), np.linspace(0.5, 4, 10))
    z = np.random.default_rng(0).normal(size=(5, 3))
    x, log_p = model.decode(z, RandomStream(1))
    mean = model.mean + model.unit * sg.asnumpy(vae.decode(sg.asarray(z.astype(np.float32))))
    expected = stats.norm(mean, 0.7 * model.unit).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(log_p, expected, rtol=1e-4)


def test_a_frame_shows_who_is_where() -> None:
    found = driving.drive(np.array([[20.0] * 8 + [5.0, 0.5]]), driving.CAREFUL)
    before, after = (_driving_page.frame(found, 0, i) for i in (0, 52))
    red = np.array(_driving_page.COLOURS["person"])[:, None, None]
    assert not (before == red).all(axis=0).any()
    assert (after == red).all(axis=0).any()
    for colour in ("car", "lead"):
        assert (before == np.array(_driving_page.COLOURS[colour])[:, None, None]).all(axis=0).any()


def test_the_page_has_all_ways_and_both_controllers(tmp_path: Path) -> None:
    run = Run("driving", root=tmp_path)
    options = lesson.Options(out=tmp_path, steps=30, recorded=500, quick=True, hidden_dim=16)
    outcome = lesson.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("careful", "hurried", "with true weights", "Two controllers", "copies"):
        assert known in page
    assert outcome.sample(3, RandomStream(0)).shape == (3, 10)
