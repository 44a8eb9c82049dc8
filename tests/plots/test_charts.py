"""Charts show the numbers they were given."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import plots
from scratchgen.plots.style import CATEGORIES


def test_every_code_has_the_colour_of_its_label_in_the_legend() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(200, 2)), rng.integers(0, 10, 200)
    (axes,) = plots.latent_map(sg.asarray(codes), sg.asarray(labels)).axes
    points = axes.collections[0]
    np.testing.assert_allclose(points.get_offsets(), codes)
    legend = axes.get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == list("0123456789")
    shown = dict(zip(names, (handle.get_facecolor()[0] for handle in legend.legend_handles), strict=True))
    for label, colour in zip(labels, points.get_facecolor(), strict=True):
        np.testing.assert_allclose(colour[:3], shown[str(label)][:3])
    for text in axes.texts:
        median = np.median(codes[labels == int(text.get_text())], axis=0)
        np.testing.assert_allclose(text.get_position(), median)


def dichromatic(colour: str, matrix: list[list[float]]) -> np.ndarray:
    """The colour as a dichromat sees it, in CIE L*a*b*."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / [0.9505, 1.0, 1.089]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3).tolist(),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ],
    ids=["normal", "protanopia", "deuteranopia"],
)
def test_colours_differ_for_the_colour_blind_too(matrix: list[list[float]]) -> None:
    """Matrices of Machado et al. 2009, severity 1; a difference of 2.3 (CIE76) is just noticeable."""
    seen = [dichromatic(colour, matrix) for colour in CATEGORIES]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 15


def test_a_term_and_its_test_share_a_panel() -> None:
    rows = [{"step": s, "loss": 100.0 / s, "kl": float(s), "seconds": 0.1 * s} for s in range(1, 101)]
    for row in rows[9::10]:
        row["test loss"] = row["loss"] + 1
    loss, kl = plots.curves(rows).axes
    train, test = (line.get_xydata() for line in loss.get_lines())
    np.testing.assert_array_equal(train, [(row["step"], row["loss"]) for row in rows])
    np.testing.assert_array_equal(test, [(row["step"], row["loss"] + 1) for row in rows[9::10]])
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["train", "test"]
    assert len(kl.get_lines()) == 1
    assert kl.get_legend() is None


@pytest.mark.parametrize(("floor", "scale"), [(1.0, "log"), (-1.0, "asinh")])
def test_the_start_is_shown_and_does_not_flatten_the_rest(floor: float, scale: str) -> None:
    rows = [{"step": s, "loss": 1000.0 if s < 5 else floor + 1 / s} for s in range(1, 101)]
    figure = plots.curves(rows)
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert low < floor + 0.01
    assert high >= 1000
    assert axes.get_yscale() == scale


def test_a_steady_fall_keeps_its_linear_axis() -> None:
    rows = [{"step": s, "loss": 100.0 - s} for s in range(1, 101)]
    (axes,) = plots.curves(rows).axes
    assert axes.get_yscale() == "linear"
    low, high = axes.get_ylim()
    assert low < 0 < 99 < high


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 7])
def test_any_number_of_terms_and_rows(terms: int) -> None:
    figure = plots.curves([{"step": 5, **{f"term {i}": 2.0 for i in range(terms)}}])
    figure.canvas.draw()
    assert len(figure.axes) == terms


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.latent_map(np.zeros((4, 3)), np.zeros(4)), r"codes: got shape \(4, 3\)"),
        (lambda: plots.latent_map(np.zeros((0, 2)), np.zeros(0)), r"codes: got shape \(0, 2\)"),
        (lambda: plots.latent_map(np.full((4, 2), np.nan), np.zeros(4)), "codes: got numbers that are NaN"),
        (lambda: plots.latent_map(np.zeros((4, 2)), np.zeros(3)), r"labels: got shape \(3,\)"),
        (lambda: plots.latent_map(np.zeros((11, 2)), np.arange(11)), "labels: got 11 different ones"),
        (lambda: plots.curves([]), "metrics: got 0 rows without a term"),
        (lambda: plots.curves([{"step": 1, "seconds": 2.0}]), "metrics: got 1 rows without a term"),
    ],
)
def test_what_cannot_be_drawn(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
