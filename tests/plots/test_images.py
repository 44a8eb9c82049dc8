"""Pictures of images show the right image in the right place, pixel by pixel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import scratchgen as sg
from scratchgen import plots


def drawn(figure: Any, scale: int = 1) -> np.ndarray:
    """The figure as (height, width, 3) numbers in [0, 1], at a multiple of its own resolution."""
    figure.set_dpi(100 * scale)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255


def images(n: int, channels: int = 1, size: int = 8) -> Any:
    """Images of one colour each, which tells them apart."""
    colours = np.linspace(0, 200, n * channels).round().reshape(n, channels, 1, 1) / 255
    return sg.asarray(np.broadcast_to(colours, (n, channels, size, size)).astype(np.float32).copy())


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_are_in_reading_order_with_white_between(channels: int) -> None:
    x = sg.asnumpy(images(5, channels))
    whole = plots.tile(x, columns=3, gap=2)
    assert whole.shape == (channels, 18, 28)
    np.testing.assert_array_equal(whole[:, :8, 20:28], x[2])
    np.testing.assert_array_equal(whole[:, 10:18, :8], x[3])
    np.testing.assert_array_equal(whole[:, 8:10], 1)
    np.testing.assert_array_equal(whole[:, 10:18, 20:], 1)  # the place of the sixth


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_grid_is_crisp_and_in_order(channels: int, scale: int) -> None:
    x = np.random.default_rng(0).integers(0, 256, (12, channels, 8, 8)) / 255
    figure = plots.image_grid(sg.asarray(x), columns=6)
    picture = drawn(figure, scale)
    cell = (picture.shape[1] + 4 * scale) // 6  # an image and a gap
    pixel = (cell - 4 * scale) // 8
    assert cell == 8 * pixel + 4 * scale
    for i in range(12):
        top, left = (i // 6) * cell, (i % 6) * cell
        shown = picture[top : top + 8 * pixel, left : left + 8 * pixel]
        expected = np.broadcast_to(x[i], (3, 8, 8)).transpose(1, 2, 0)
        np.testing.assert_allclose(shown, expected.repeat(pixel, 0).repeat(pixel, 1), atol=0.6 / 255)


def test_reconstructions_stand_below_their_originals() -> None:
    x = images(13)
    figure = plots.reconstructions(x, 1 - x, columns=10)
    (axes,) = figure.axes
    picture = axes.get_images()[0].get_array()
    height = axes.get_yticks()[0] * 2
    step = picture.shape[1] // 10 + 1
    for i, row in ((0, 0), (9, 0), (12, 1)):
        column = i % 10
        top = int(row * (2 * height + 5 * 4) + height / 2)
        below = int(top + height + 4)
        original, reconstructed = picture[[top, below], column * step + 10, 0]
        assert original == pytest.approx(float(x[i, 0, 0, 0]))
        assert reconstructed == pytest.approx(1 - original)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["original", "reconstructed"]


def test_no_label_is_cut_off() -> None:
    pairs, plane = plots.reconstructions(images(4), images(4)), plots.manifold(images(9), (-2.25, 2.25))
    for figure in (pairs, plane):
        figure.canvas.draw()
        width, height = figure.canvas.get_width_height()
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width + 12  # the last tick's label may lean over the margin that saving leaves it
        assert box.y1 <= height + 6


def test_a_manifold_has_gaps_that_show_the_ground_and_names_the_codes() -> None:
    x = sg.asnumpy(images(9))
    figure = plots.manifold(x, limits=(-2, 2))
    (axes,) = figure.axes
    picture = axes.get_images()[0].get_array()
    scale = (len(picture) - 4) // 24
    free = picture[..., 3] == 0
    assert free.all(axis=1).nonzero()[0].tolist() == [
        8 * scale,
        8 * scale + 1,
        16 * scale + 2,
        16 * scale + 3,
    ]
    shown = picture[..., 0][~free].reshape(24 * scale, 24 * scale)[::scale, ::scale]
    np.testing.assert_array_equal(shown, x[:, 0].reshape(3, 3, 8, 8).transpose(0, 2, 1, 3).reshape(24, 24))
    # The code (-2, 2) belongs to the middle of the image at the top left, 1 / 6 of the way.
    left, right, bottom, top = axes.get_images()[0].get_extent()
    assert (-2 - left) / (right - left) == pytest.approx(1 / 6)
    assert (top - 2) / (top - bottom) == pytest.approx(1 / 6)
    assert [label.get_text() for label in (axes.xaxis.label, axes.yaxis.label)] == ["$z_1$", "$z_2$"]
    assert len(plots.manifold(x).axes) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_shows_every_frame(tmp_path: Path, channels: int) -> None:
    x = images(4, channels)
    path = plots.animation(x, tmp_path / "a.gif", seconds=0.2, hold=3.0)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info["loop"], gif.size) == (4, 0, (640, 640))
        durations = []
        for i in range(4):
            gif.seek(i)
            durations.append(gif.info["duration"])
            shown = np.asarray(gif.convert("RGB"))[100, 100] / 255
            np.testing.assert_allclose(shown, np.broadcast_to(sg.asnumpy(x)[i, :, 0, 0], 3), atol=0.02)
    assert durations == [200, 200, 200, 3000]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.image_grid(np.zeros((2, 8, 8))), r"images: got shape \(2, 8, 8\)"),
        (lambda: plots.image_grid(np.zeros((2, 2, 8, 8))), "with 1 or 3 channels"),
        (lambda: plots.image_grid(np.zeros((0, 1, 8, 8))), r"images: got shape \(0, 1, 8, 8\)"),
        (
            lambda: plots.image_grid(np.zeros((2, 1, 8, 8), np.uint8)),
            "images: got an array of uint8, expected float32 or float64",
        ),
        (
            lambda: plots.image_grid(np.full((2, 1, 8, 8), 1.5)),
            r"images: got numbers from 1.5 to 1.5, expected 0 to 1",
        ),
        (lambda: plots.image_grid(np.full((2, 1, 8, 8), np.nan)), "images: got 128 NaN or infinite numbers"),
        (lambda: plots.image_grid(np.zeros((2, 1, 8, 8)), 0), "columns: got 0"),
        (lambda: plots.reconstructions(*[np.zeros((2, 1, 8, 8))] * 2, 1.5), r"columns: got 1\.5"),
        (lambda: plots.manifold(np.zeros((8, 1, 8, 8))), "images: got 8, expected a square number"),
        (
            lambda: plots.reconstructions(np.zeros((2, 1, 8, 8)), np.zeros((3, 1, 8, 8))),
            r"reconstructed: got shape \(3, 1, 8, 8\)",
        ),
        (lambda: plots.animation([], "a.gif"), "frames: got 0 frames"),
        (lambda: plots.animation([np.zeros((1, 8, 8)), np.zeros((1, 8, 9))], "a.gif"), "expected one shape"),
        (lambda: plots.animation([np.zeros((1, 8, 8))], "a.png"), r"path: got 'a.png', expected .*\.gif"),
        (lambda: plots.animation([np.zeros((1, 8, 8))], "a.gif", seconds=0), "seconds, hold: got 0"),
    ],
)
def test_what_cannot_be_drawn(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.host_only
def test_matplotlib_is_imported_when_it_is_needed_and_pyplot_never() -> None:
    code = """
import sys, numpy as np
from scratchgen import plots, training
assert not {"matplotlib", "tqdm"} & set(sys.modules), "imported too early"
plots.image_grid(np.zeros((4, 1, 8, 8)))
plots.reconstructions(np.zeros((4, 1, 8, 8)), np.zeros((4, 1, 8, 8)))
plots.manifold(np.zeros((4, 1, 8, 8)), (-1, 1))
plots.latent_map(np.zeros((4, 2)), np.arange(4)).savefig(sys.argv[1])
plots.curves([{"step": 1, "loss": 1.0}])
assert "matplotlib.pyplot" not in sys.modules, "pyplot imported"
"""
    subprocess.run([sys.executable, "-c", code, "/dev/null"], check=True, cwd=Path(__file__).parents[2])


def test_rows_have_their_names_and_their_images() -> None:
    first, second = images(13, channels=3), 1 - images(20, channels=3)
    figure = plots.image_rows({"real": first, "model\nnoise": second}, columns=10)
    assert [text.get_text() for text in figure.axes[0].texts] == ["real", "model", "noise"]
    picture = drawn(figure)
    height = picture.shape[0] // 2
    columns = [130 + i * ((picture.shape[1] - 130) // 10) + 20 for i in range(10)]
    for i, x in enumerate(columns):
        np.testing.assert_allclose(picture[height // 2, x], sg.asnumpy(first)[i, :, 0, 0], atol=1 / 255)
        np.testing.assert_allclose(picture[-height // 2, x], sg.asnumpy(second)[i, :, 0, 0], atol=1 / 255)


@pytest.mark.parametrize(("size", "fitting"), [(8, 13), (28, 9), (32, 8)])
def test_rows_hold_as_many_images_as_can_be_seen_well(size: int, fitting: int) -> None:
    white = np.ones((50, 1, size, size))
    figure = plots.image_rows({"black": 1 - white})
    strip = drawn(figure)[10, 130:, 0]  # black images, and white gaps between them
    assert int(np.sum((strip[:-1] > 0.5) & (strip[1:] < 0.5)) + (strip[0] < 0.5)) == fitting


def test_rows_refuse_what_does_not_belong_together() -> None:
    with pytest.raises(ValueError, match="rows: got none"):
        plots.image_rows({})
    with pytest.raises(ValueError, match=r"shapes .*, expected one shape"):
        plots.image_rows({"a": images(3), "b": images(3, size=9)})
    with pytest.raises(ValueError, match=r"rows\['b'\]: got numbers from .*, expected 0 to 1"):
        plots.image_rows({"a": images(3), "b": 2 + images(3)})
