"""What a diffusion model's loss is made of: its terms over the time t."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..backend import asnumpy
from .style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAINT = 1e-6  # of a term's largest value: less is not to be told from nothing


def by_time(times: Sequence[int], terms: Mapping[str, Any]) -> Figure:
    """Terms of a loss over the time t, one panel for each.

    A term that spans more than a hundredfold is drawn on a logarithmic axis, down to a millionth of its
    largest value.

    Parameters
    ----------
    times : sequence of int
        Growing, from 1 on.
    terms : mapping of str to array, shape (len(times),)

    Raises
    ------
    ValueError
        If there is nothing to show, or not one number for each time.

    Examples
    --------
    >>> figure = by_time([1, 10, 100], {"squared error": [9, 3, 1], "bound": [50, 1, 0.1]})
    >>> [axes.get_yscale() for axes in figure.axes]
    ['linear', 'log']
    """
    if not terms or not len(times):
        raise ValueError(f"terms: got {len(terms)} at {len(times)} times, expected at least one of each")
    figure = new_figure(WIDTH, 2.6)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    for i, (name, given) in enumerate(terms.items()):
        values = asnumpy(given)
        if values.shape != (len(times),):
            raise ValueError(f"terms[{name!r}]: got shape {values.shape}, expected ({len(times)},)")
        axes = figure.add_subplot(1, len(terms), i + 1)
        axes.plot(
            times, values, color=CATEGORIES[i % len(CATEGORIES)], linewidth=1.5, marker="o", markersize=3
        )
        axes.set_xscale("log")
        low, high = values.min(), values.max()
        if 0 < low < high / 100:
            axes.set_yscale("log")
            axes.set_ylim(bottom=max(low, high * FAINT) / 2)
        else:
            axes.set_ylim(bottom=min(low, 0) * 1.05)
        axes.set_title(name, loc="left", fontsize=10, fontweight="bold", color=INK, pad=8)
        axes.set_xlabel("t", color=SOFT, fontsize=9)
        axes.minorticks_off()
        soften(axes, grid="y")
    return figure
