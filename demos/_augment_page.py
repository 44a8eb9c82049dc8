"""The page of the lesson on augmentation: tables with intervals, curves of gain, and where it helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demos._augment_models import Examples
from demos._few_labels_page import reach
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften
from scratchgen.training import Run

Results = Mapping[str, Sequence[float]]
"""By name: a share for each draw of the few."""


@dataclass(eq=False)
class Seen:
    """All that the page is about, filled in as it is found."""

    counts: Sequence[int]
    """Pictures of each class."""
    all_real: float
    """Right answers of a classifier of all pictures, which also says what drawn ones show."""
    results: list[dict[str, list[float]]] = field(default_factory=list)
    """For each number of pictures: right answers, by what the classifier was trained on."""
    agreed: list[dict[str, list[float]]] = field(default_factory=list)
    """For each number of pictures: drawn pictures that show what they are labelled, by model."""
    pictures: dict[str, Examples] = field(default_factory=dict)

    def begin(self) -> None:
        """With the next number of pictures."""
        self.results.append({})
        self.agreed.append({})

    def add(self, results: Mapping[str, float], agreed: Mapping[str, float]) -> None:
        """What one draw of the few has given."""
        for kept, found in ((self.results[-1], results), (self.agreed[-1], agreed)):
            for name, share in found.items():
                kept.setdefault(name, []).append(share)

    def __str__(self) -> str:
        means = "  ".join(f"{name}: {np.mean(values):.3f}" for name, values in self.results[-1].items())
        return f"{self.counts[len(self.results) - 1]} a class: {means}"


def gain(results: Results, name: str) -> tuple[float, float]:
    """Points by which a way is better than real pictures alone: mean over the same draws, half width."""
    difference = 100 * (np.array(results[name]) - np.array(results["real"]))
    return float(difference.mean()), float(reach(difference[None])[0])


def verdict(results: Results, name: str) -> str:
    """Whether it helps, as far as the draws can tell."""
    mean, half = gain(results, name)
    return "helps" if mean - half > 0 else "hurts" if mean + half < 0 else "undecided"


def row(name: str, settings: Sequence[Results], label: str = "") -> list[str]:
    """Means with 95 % intervals, one for each setting."""
    values = [100 * np.array(results[name]) for results in settings]
    return [label or name, *(f"{v.mean():.1f} ± {float(reach(v[None])[0]):.1f}" for v in values)]


def write(seen: Seen, data: Images, options: Any, run: Run) -> dict[str, str]:
    """The page, and its numbers."""
    names = [f"{count} a class" for count in seen.counts]
    draws = len(seen.results[0]["real"])
    text = (
        r"$$I(\theta; \; \text{real}, \text{drawn}) = I(\theta; \; \text{real})$$"
        "\n\n"
        f"{MAPS if data.name == 'scans' else ''}Few pictures of each class, drawn {draws} times from "
        f"{len(data.train):,}. A classifier learns from them, from them and as many others, or from others "
        "alone: distorted ones, or ones drawn by a small model that was trained on the same few and is told "
        "the class. It is always the same classifier, trained as long. Right answers on "
        f"{len(data.test):,} test pictures, in %, means and 95 % intervals over draws. With all "
        f"{len(data.train):,} pictures: {100 * seen.all_real:.1f}. The last rows: how many drawn pictures "
        "show what their label says, in the eyes of that last classifier."
    )
    table = [["trained on", *names], *(row(name, seen.results) for name in seen.results[0])]
    table += [row(name, seen.agreed, f"right labels, {name}") for name in seen.agreed[0]]
    run.section(
        "Few pictures",
        text,
        table=table,
        pictures={
            "Points gained over real pictures alone (the same draws)": gains(seen.results, names),
            f"One of each class, learnt from {names[-1]}": pictures(seen.pictures),
        },
    )
    run.section("Where it helps, and why", "\n\n".join([*said(seen.results, names), WHY]))
    ways = [name for name in seen.results[0] if name.startswith("real + ")]
    return {
        f"{name.removeprefix('real + ')}, {names[0]}": "{:+.1f} ± {:.1f}".format(*gain(seen.results[0], name))
        for name in ways
    }


MAPS = (
    "Maps of what principal components of healthy scans leave unexplained, of healthy heads and of three "
    "findings. Of healthy scans there are thousands, and they need no label; findings are rare. "
)
WHY = (
    "Why. A drawn picture is a function of the few pictures, of chance, and of what the model assumes. Given "
    "the few, it says nothing about the world, so what is gained must be an assumption that is true: that a "
    "shifted digit, or a turned lesion, is of the same class (nobody had to learn that), or that between two "
    "pictures of a class there are others of that class. What is lost is an assumption that is false, or "
    "noise: a picture that does not show what its label says teaches the classifier something wrong.\n\n"
    "When it fails. Drawn pictures make a test look better than it is if they are in it, and a model of few "
    "pictures repeats what is peculiar to them. Somebody who can have ten more real pictures should have "
    "them: compare the columns."
)


def said(settings: Sequence[Results], names: Sequence[str]) -> list[str]:
    """Of each way, the settings where it helps, hurts, or where the draws cannot tell."""
    sentences = []
    for way in settings[0]:
        kinds: dict[str, list[str]] = {}
        for results, name in zip(settings, names, strict=True):
            mean, half = gain(results, way)
            kinds.setdefault(verdict(results, way), []).append(f"{name} ({mean:+.1f} ± {half:.1f})")
        found = "; ".join(f"{kind} with {', '.join(where)}" for kind, where in kinds.items())
        sentences.append(f"{way}: {found}.")
    return sentences[1:]


def gains(settings: Sequence[Results], names: Sequence[str]) -> Any:
    """Points gained over real pictures alone, by how many there are; bars are 95 % intervals."""
    figure = new_figure(WIDTH, 3.6)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    ways, places = [name for name in settings[0] if "+" in name], np.arange(len(names))
    for i, name in enumerate(ways):
        mean, half = np.array([gain(results, name) for results in settings]).T
        aside = places + 0.12 * (i - (len(ways) - 1) / 2)
        axes.errorbar(aside, mean, half, color=CATEGORIES[i], fmt="o", markersize=4, label=name)
    axes.axhline(0, color=SOFT, linewidth=0.8)
    axes.set_xticks(places, names)
    axes.set(ylabel="points gained")
    axes.legend(frameon=False, fontsize=8)
    soften(axes, "y")
    return figure


def pictures(rows: Mapping[str, Examples]) -> Any:
    """The first of each class, a row for each source."""
    first = {name: [list(x.labels).index(y) for y in range(x.classes)] for name, x in rows.items()}
    return plots.image_rows({name: x.images[first[name]].clip(0, 1) for name, x in rows.items()})
