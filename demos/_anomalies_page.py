"""The page of the lesson on anomalies: tables with intervals, maps, and the doctor's working day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import scratchgen as sg
from demos import anomalies
from scratchgen import plots
from scratchgen.data import scans
from scratchgen.metrics import Estimate, alarm_precision, auroc, average_precision, bootstrap_interval
from scratchgen.plots.style import CATEGORIES, WIDTH, new_figure, soften
from scratchgen.training import Run

ILL = 0.01  # of those who come
SCANS = 10_000


def interval(
    area: Callable[[Any, Any], float], score: np.ndarray, unusual: np.ndarray, resamples: int
) -> Estimate:
    """An area with its bootstrap interval, over scans."""

    def statistic(pairs: np.ndarray) -> float:
        labels = pairs[:, 1] > 0
        return 0.5 if labels.all() or not labels.any() else area(pairs[:, 0], labels)

    rng = sg.RandomStream(0, "bootstrap")
    return bootstrap_interval(
        statistic, np.stack([score, unusual], axis=1), rng, resamples=resamples, bounds=(0, 1)
    )


def by_pixel(maps: np.ndarray, masks: np.ndarray, resamples: int) -> tuple[Estimate, Estimate]:
    """Both areas over the pixels of ill scans; intervals over scans, as pixels of one are not independent."""
    rows = np.stack([maps.reshape(len(maps), -1), masks.reshape(len(maps), -1)], axis=1)

    def statistic(area: Callable[[Any, Any], float]) -> Callable[[np.ndarray], float]:
        return lambda drawn: area(drawn[:, 0].ravel(), drawn[:, 1].ravel() > 0)

    auc, precision = (
        bootstrap_interval(
            statistic(area), rows, sg.RandomStream(0, "pixels"), resamples=resamples, bounds=(0, 1)
        )
        for area in (auroc, average_precision)
    )
    return auc, precision


def by_kind(score: np.ndarray, cases: Any, kinds: tuple[str, ...]) -> list[str]:
    """The AUROC for each kind of anomaly, against all healthy scans."""
    well, ill = score[~cases.unusual], score[cases.unusual]
    found = []
    for kind in scans.KINDS:
        some = ill[np.array(kinds) == kind]
        found.append(
            f"{auroc(np.concatenate([well, some]), np.arange(len(well) + len(some)) >= len(well)):.3f}"
        )
    return found


def write(
    maps: Mapping[str, anomalies.Maps],
    cleaning: Any,
    vae: Any,
    given: tuple[np.ndarray, anomalies.Cases, scans.Scans],
    options: Any,
    run: Run,
) -> dict[str, str]:
    """Put all on the page, and return its numbers."""
    spare, cases, ill = given
    few = 20 if options.quick else 500
    table: list[list[Any]] = [
        ["score", "AUROC, scans", "average precision", *scans.KINDS, "AUROC, pixels", "AP, pixels"]
    ]
    score, images = {}, {}
    for name, each in maps.items():
        images[name] = each(cases.images)
        score[name] = anomalies.scores(images[name])
        areas = by_pixel(images[name][cases.unusual], ill.masks, max(3, few // 20))
        table.append([name, *row(score[name], cases, ill.kinds, few), *map(str, areas)])
    bound = sg.asnumpy(
        vae.anomaly_score(sg.asarray(cases.images), sg.RandomStream(options.seed, "bound"), 10)
    )
    table.append(["the VAE's bound", *row(bound, cases, ill.kinds, few), "", ""])
    best = max((auroc(s, cases.unusual), name) for name, s in score.items() if name != "autoencoders")
    ours = auroc(score["autoencoders"], cases.unusual)
    numbers = {
        "AUROC by scan, autoencoders": f"{ours:.3f}",
        f"the best baseline, {best[1]}": f"{best[0]:.3f}",
        "AUROC by pixel, autoencoders": table[-2][-2],
    }
    shown = slice(len(cases.images) - len(ill.images), len(cases.images) - len(ill.images) + 10)
    brightest = np.quantile(images["autoencoders"][~cases.unusual], 0.999)
    rows = {
        "ill heads": ill.images[:10],
        "the truth": ill.masks[:10].astype(np.float32),
        "autoencoder's\nreconstruction": sg.asnumpy(cleaning.reconstruct(sg.asarray(ill.images[:10]))).clip(
            0, 1
        ),
        "map": (images["autoencoders"][shown] / (2 * brightest)).clip(0, 1),
    }
    run.section(
        "The hospital",
        r"$$\text{score}(x) = \left\| x - f(e(x)) \right\|^2$$"
        "\n\n"
        f"{len(cases.images)} new scans, half of them with a lesion, a fracture or bright spots; trained "
        "on healthy ones only. Intervals are bootstrap intervals over scans, of 95 %. By pixel: over all "
        f"pixels of the ill scans, of which {ill.masks.mean():.1%} are where something is wrong. The "
        "autoencoders are three, with codes of "
        f"{', '.join(map(str, anomalies.CODES[options.data]))} numbers, asked together.",
        numbers=numbers,
        table=table,
        pictures={
            "Ten of the ill, what the autoencoder makes of them, and the map of errors": plots.image_rows(
                rows
            )
        },
    )
    day(maps["autoencoders"], spare, score["autoencoders"], cases, options, run)
    return numbers


def row(score: np.ndarray, cases: Any, kinds: tuple[str, ...], few: int) -> list[str]:
    """Both areas with intervals, and the AUROC of each kind."""
    areas = [str(interval(area, score, cases.unusual, few)) for area in (auroc, average_precision)]
    return [*areas, *by_kind(score, cases, kinds)]


def day(
    each: anomalies.Maps, spare: np.ndarray, score: np.ndarray, cases: Any, options: Any, run: Run
) -> None:
    """A threshold from healthy scans, what it does on others, and what that means for a doctor."""
    stated = options.false_alarms
    threshold = np.quantile(anomalies.scores(each(spare)), 1 - stated)
    alarms = score > threshold
    rate, found = (
        bootstrap_interval(np.mean, alarms[which], sg.RandomStream(1))
        for which in (~cases.unusual, cases.unusual)
    )
    looked = SCANS * (ILL * found.value + (1 - ILL) * rate.value)
    missed = SCANS * ILL * (1 - found.value)
    right = alarm_precision(ILL, found.value, rate.value) if looked else 0.0
    run.section(
        "The doctor's view",
        f"The threshold is what {stated:.0%} of {len(spare)} healthy scans exceed that were not trained "
        f"on. On {int((~cases.unusual).sum())} new healthy scans {rate} raise an alarm, of the ill "
        f"{found}. Of {SCANS:,} scans of which {ILL:.0%} are ill, the doctor looks at {looked:,.0f} and "
        f"misses {missed:.0f} ill ones. Of those looked at, {right:.1%} are ill: an alarm is a reason to "
        "look, no diagnosis.",
        numbers={
            "false alarms": f"{rate.value:.1%} (stated {stated:.1%})",
            f"looked at, of {SCANS:,}": f"{looked:,.0f}",
            f"missed, of {SCANS * ILL:,.0f} ill": f"{missed:.0f}",
        },
        pictures={"Scores of new scans, and the threshold": histogram(score, cases.unusual, threshold)},
    )


def histogram(score: np.ndarray, unusual: np.ndarray, threshold: float) -> Any:
    """How the scores of healthy and of ill scans are distributed."""
    figure = new_figure(WIDTH, 2.4)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    bins = np.geomspace(score.min(), score.max(), 60)
    for label, which, colour in (("healthy", ~unusual, CATEGORIES[0]), ("ill", unusual, CATEGORIES[2])):
        axes.hist(score[which], bins=list(bins), label=label, color=colour, alpha=0.7)
    axes.axvline(threshold, color="black", linewidth=1, label="threshold")
    axes.set(xscale="log", xlabel="score", ylabel="scans")
    axes.legend(frameon=False, fontsize=8)
    soften(axes, "y")
    return figure


def failures(
    plain: Mapping[int, Any], linear: Mapping[str, anomalies.Maps], cases: Any, ill: scans.Scans, run: Run
) -> None:
    """Larger codes, and the anomalies that an autoencoder copies."""
    table: list[list[Any]] = [
        ["", "error on healthy", "AUROC, scans", *scans.KINDS, "AUROC, pixels", "AP, pixels"]
    ]
    maps = {name: each for name, each in linear.items() if name.startswith("PCA")}
    last = len(maps) - 1
    largest = list(maps)[last]
    maps |= {f"autoencoder, code of {code}": anomalies.error_map(model) for code, model in plain.items()}
    errors, found, truth = [], [], ill.masks.ravel()
    for name, each in maps.items():
        images = each(cases.images)
        score, wrong = anomalies.scores(images), images[cases.unusual].ravel()
        errors.append(score[~cases.unusual].mean())
        found.append(average_precision(wrong, truth))
        area, kinds = auroc(score, cases.unusual), by_kind(score, cases, ill.kinds)
        table.append(
            [
                name,
                f"{errors[-1]:.2f}",
                f"{area:.3f}",
                *kinds,
                f"{auroc(wrong, truth):.3f}",
                f"{found[-1]:.3f}",
            ]
        )
    kept = anomalies.scores(maps[largest](ill.images) * ill.masks) / anomalies.scores(
        (ill.images - ill.without) ** 2
    )
    copied = np.argsort(kept)[:10]
    rows = {
        "ill heads": ill.images[copied],
        "the truth": ill.masks[copied].astype(np.float32),
        f"errors\n{largest.removesuffix(' components')}": (
            4 * np.sqrt(maps[largest](ill.images[copied]))
        ).clip(0, 1),
    }
    run.section(
        "When it fails",
        "Nothing makes an autoencoder bad at what it never saw. The linear one, PCA, shows it without "
        f"training: every component more lowers the error on healthy heads, from {errors[0]:.1f} to "
        f"{errors[last]:.1f}, but the precision by pixel is {found[0]:.2f} with the fewest, "
        f"{max(found[: last + 1]):.2f} at best, and {found[last]:.2f} with the most: with room to spare it "
        "copies the illness, too. And no healthy scan can tell where to stop. Noise in training is one "
        "remedy: what has to clean cannot copy.",
        table=table,
        pictures={f"Ill heads that {largest} copy best": plots.image_rows(rows)},
    )


def in_turn(
    found: Mapping[str, list[float]], names: tuple[str, ...], count: int, where: str, run: Run
) -> None:
    """The table of MNIST or of a folder: a line for each score, a column for each class."""
    table: list[list[Any]] = [["AUROC", *names, "mean"]]
    for score, areas in found.items():
        table.append([score, *(f"{a:.3f}" for a in areas), f"{np.mean(areas):.4f}"])
    run.section(
        "MNIST: one digit is normal, nine are not"
        if where == "mnist"
        else f"{where}: one class is normal, the others are not",
        f"Each class in turn is all that is learnt from; the score is judged on all {count:,} test images. "
        "Nothing was chosen by them (the sizes of the codes were tried out on training images of MNIST), and "
        "the models know images of the healthy class only. Three autoencoders "
        f"with codes of {', '.join(map(str, anomalies.CODES['mnist']))} numbers are asked together, "
        "each error in units of its mean on held-out images of the healthy class.",
        numbers={score: f"{np.mean(areas):.4f}" for score, areas in found.items()},
        table=table,
    )
