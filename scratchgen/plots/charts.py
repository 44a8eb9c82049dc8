"""Charts: codes in the latent plane, and loss terms over the steps of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import asnumpy
from .style import CATEGORIES, INK, SOFT, WIDTH, new_figure, outlined, soften

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEST = "test "  # what the name of a term begins with when it was measured on the test set
STRETCH = 3  # how many times what follows the start may take, before an axis is bent
UNPLOTTED = ("step", "seconds")


def latent_map(codes: Any, labels: Any) -> Figure:
    """Where a model puts each example in the plane, coloured by label.

    Parameters
    ----------
    codes : array, shape (n, 2)
    labels : array of int, shape (n,)
        At most ten different ones. Each is written at the median of its codes too, so that nobody has to
        rely on colours.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> figure = latent_map(rng.normal(size=(30, 2)), np.arange(30) % 3)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0', '1', '2']
    """
    codes, labels = asnumpy(codes), asnumpy(labels)
    if codes.ndim != 2 or codes.shape[1] != 2 or not len(codes):
        raise ValueError(f"codes: got shape {codes.shape}, expected (n, 2)")
    if not np.isfinite(codes).all():
        raise ValueError("codes: got numbers that are NaN or infinite, expected finite ones")
    if labels.shape != (len(codes),):
        raise ValueError(f"labels: got shape {labels.shape}, expected ({len(codes)},), one for each code")
    kinds = np.unique(labels)
    if len(kinds) > len(CATEGORIES):
        raise ValueError(f"labels: got {len(kinds)} different ones, expected at most {len(CATEGORIES)}")
    figure = new_figure(WIDTH, WIDTH * 0.86)
    axes = figure.add_axes((0.07, 0.08, 0.82, 0.9))
    _scatter(axes, codes, labels, kinds)
    axes.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=10, labelcolor=INK,
        handletextpad=0.1, borderaxespad=0.3, labelspacing=0.7,
    )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("$z_1$", color=INK, fontsize=10)
    axes.set_ylabel("$z_2$", color=INK, fontsize=10, rotation=0)
    soften(axes)
    return figure


def _scatter(axes: Axes, codes: np.ndarray, labels: np.ndarray, kinds: np.ndarray) -> None:
    size = min(28.0, max(2.0, 14_000 / len(codes)))
    alpha = 0.85 if len(codes) < 3000 else 0.5
    # All in the order given: drawn one label after another, the last would cover the first.
    colours = np.array(CATEGORIES)[np.searchsorted(kinds, labels)]
    axes.scatter(codes[:, 0], codes[:, 1], s=size, color=colours, alpha=alpha, linewidths=0)
    for kind, colour in zip(kinds, CATEGORIES, strict=False):
        x, y = codes[labels == kind].T
        axes.scatter([], [], s=40, color=colour, label=str(kind))  # the legend's, always well seen
        axes.text(
            float(np.median(x)), float(np.median(y)), str(kind),
            **outlined(ha="center", va="center", fontsize=15, fontweight="bold", color=INK),
        )  # fmt: skip


def curves(metrics: Sequence[Mapping[str, float]]) -> Figure:
    """The terms of a loss over the steps of training, one panel for each.

    All of it is shown. Where the first twentieth of the steps takes most of the vertical axis, that axis is
    logarithmic (for terms above 0) or the inverse hyperbolic sine's, so that what follows is seen as well.

    Parameters
    ----------
    metrics : sequence of rows
        As `scratchgen.training.fit` returns them: ``step``, and terms by name; ``"test loss"`` shares the
        panel of ``"loss"``.

    Examples
    --------
    >>> rows = [{"step": s, "loss": 1 / s, "kl": 0.1, "test loss": 1.1 / s} for s in range(1, 9)]
    >>> [axes.get_title(loc="left") for axes in curves(rows).axes]
    ['loss', 'kl']
    """
    names = dict.fromkeys(name for row in metrics for name in row if name not in UNPLOTTED)
    panels = list(dict.fromkeys(name.removeprefix(TEST) for name in names))
    if not panels:
        raise ValueError(
            f"metrics: got {len(metrics)} rows without a term, expected rows of 'step' and terms"
        )
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(WIDTH, 2.5 * rows if columns > 1 else 3.2)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    for i, name in enumerate(panels):
        axes = figure.add_subplot(rows, columns, i + 1)
        _curve(axes, metrics, name)
        if i == 0 and any(name.startswith(TEST) for name in names):
            axes.legend(frameon=False, fontsize=8, labelcolor=SOFT, handlelength=1.2, borderaxespad=0)
        if i >= len(panels) - columns:
            axes.set_xlabel("step", color=SOFT, fontsize=9)
    return figure


def _curve(axes: Axes, metrics: Sequence[Mapping[str, float]], name: str) -> None:
    """One panel: a term on the training set, and on the test set if it was measured there."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    axes.set_title(name, loc="left", fontsize=10, fontweight="bold", color=INK, pad=8)
    last_step = max(row["step"] for row in metrics)
    shown: list[float] = []
    later: list[float] = []
    for term, label, colour in ((name, "train", CATEGORIES[0]), (TEST + name, "test", CATEGORIES[2])):
        points = [(row["step"], row[term]) for row in metrics if term in row]
        if points:
            steps, values = zip(*points, strict=True)
            marker = "o" if len(points) < 25 else ""
            axes.plot(steps, values, color=colour, linewidth=1.5, marker=marker, markersize=3, label=label)
            shown += values
            later += [value for step, value in points if step > last_step / 20] or values
    axes.set_xlim(0, last_step)
    low, high, span = min(shown), max(shown), max(later) - min(later)
    if high - low <= STRETCH * span or low == high:
        room = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.locator_params(nbins=4)
    elif low > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(low * (low / high) ** 0.06, high * (high / low) ** 0.06)
    else:
        axes.set_yscale("asinh", linear_width=span or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    soften(axes, grid="y")
