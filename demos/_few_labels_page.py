"""The page of the lesson on few labels: curves with intervals, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from scratchgen.data import Images
from scratchgen.plots.style import CATEGORIES, WIDTH, new_figure, soften
from scratchgen.training import Run


def reach(errors: np.ndarray) -> np.ndarray:
    """Half the width of the 95 % interval of the mean over draws, by Student's distribution: (counts,)."""
    n = errors.shape[1]
    return np.asarray(stats.t.ppf(0.975, n - 1) * errors.std(axis=1, ddof=1) / np.sqrt(n))


def write(
    errors: Mapping[str, np.ndarray], counts: tuple[int, ...], data: Images, options: Any, run: Run
) -> dict[str, str]:
    """Put all on the page, and return its numbers."""
    table: list[list[Any]] = [["wrong answers, %", *(f"{count} labels" for count in counts)]]
    for name, wrong in errors.items():
        cells = zip(100 * wrong.mean(axis=1), 100 * reach(wrong), strict=True)
        table.append([name, *(f"{mean:.1f} ± {half:.1f}" for mean, half in cells)])
    means = {name: wrong.mean(axis=1) for name, wrong in errors.items()}
    best = {count: min(means, key=lambda name: means[name][k]) for k, count in enumerate(counts)}
    numbers = {
        f"wrong at best, {count} labels": f"{means[best[count]][k]:.1%} ({best[count]})"
        for k, count in enumerate(counts)
    }
    draws = next(iter(errors.values())).shape[1]
    text = (
        r"$$\log p(x) \ge \sum_y q(y|x) ( {-L(x, y)} ) + H(q(y|x))$$"
        "\n\n"
        f"Wrong answers on {len(data.test):,} test images of {data.name}, with few of the "
        f"{len(data.train):,} training images labelled, as many of each class; means and 95 % intervals "
        f"over {draws} draws of the labelled ones."
    )
    chosen = (
        " The settings were chosen on the shipped digits by python3 demos few_labels --choose, on a fifth "
        "of the training images that was left out there, once for all numbers of labels and all draws; no "
        "test image had a say. But that choice saw the names of 300 images, which nobody has who has ten: do "
        "not read more into two rows that are near each other."
    )
    run.section(
        "Few labels",
        text + chosen,
        numbers=numbers,
        table=table,
        pictures={"Errors by the number of labels": curves(errors, counts)},
    )
    run.section("What the curves say", verdicts(means, counts))
    return numbers


def verdicts(means: Mapping[str, np.ndarray], counts: tuple[int, ...]) -> str:
    """Three comparisons in words that follow the numbers."""

    def against(name: str, other: str) -> str:
        better = [str(count) for k, count in enumerate(counts) if means[name][k] < means[other][k]]
        return f"with {', '.join(better)} labels" if better else "with no number of labels here"

    scratch, tuned = means["network from scratch"], means["the same, from an autoencoder"]
    return (
        "Pictures without labels. The network that begins with an autoencoder's encoder is better than "
        f"the same one from scratch {against('the same, from an autoencoder', 'network from scratch')}: "
        f"{scratch[0]:.0%} against {tuned[0]:.0%} wrong with {counts[0]}, {scratch[-1]:.1%} against "
        f"{tuned[-1]:.1%} with {counts[-1]}.\n\n"
        "Generative against discriminative. Naive Bayes and logistic regression draw the same kind of "
        f"border. Naive Bayes is better {against('naive Bayes', 'logistic regression')}. "
        f"{crossing(means)}\n\n"
        "Unknown classes as latents. M2 on pictures is better than naive Bayes, which sees the labelled "
        f"ones only, {against('M2', 'naive Bayes')}; on a VAE's codes (M1+M2) it is better than on pixels "
        f"{against('M1+M2', 'M2')}.\n\n"
        "M1+M2 learns slowly, and in the minutes of this lesson it is far from done.\n\n"
        "When it fails. All of it rests on one hope: that what pictures have in common is what the labels "
        "are about. If the question were which hand wrote a digit, clusters of digits would mislead; and "
        "with labels enough nobody needs the others."
    )


def crossing(means: Mapping[str, np.ndarray]) -> str:
    """Whether the generative classifier is ahead with few labels and behind with many, as theory has it."""
    ahead = means["naive Bayes"] < means["logistic regression"]
    if ahead[0] and not ahead[-1]:
        return "It is ahead while labels are few, and its best is worse: as Ng and Jordan found."
    return (
        "Ng and Jordan's crossing, ahead with few labels and behind with many, does not show on these images."
    )


def curves(errors: Mapping[str, np.ndarray], counts: tuple[int, ...]) -> Any:
    """A curve for each way, with its interval."""
    figure = new_figure(WIDTH, 4.2)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for i, (name, wrong) in enumerate(errors.items()):
        mean, half = 100 * wrong.mean(axis=1), 100 * reach(wrong)
        axes.plot(counts, mean, color=CATEGORIES[i], label=name, marker="o", markersize=3)
        axes.fill_between(counts, mean - half, mean + half, color=CATEGORIES[i], alpha=0.15, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="labels", ylabel="wrong answers, %")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_yticks([5, 10, 20, 50], ["5", "10", "20", "50"])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8)
    soften(axes, "y")
    return figure
