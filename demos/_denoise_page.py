"""The page of the lesson on denoising: the filters that it is compared with, tables and pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage, signal

import scratchgen as sg
from demos import _lesson, denoise
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.models import Autoencoder
from scratchgen.models.denoisers import wiener
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure
from scratchgen.training import Run

PARTS = " (one map for all colours, and for all quarters of large images)"
ROWS = 20_000  # that the affine map is fitted to
Damaged = dict[tuple[str, float], Any]


def median(damaged: np.ndarray) -> np.ndarray:
    """Each pixel as the median of the nine around it."""
    return ndimage.median_filter(damaged, size=(1, 1, 3, 3))


def local_wiener(damaged: np.ndarray) -> np.ndarray:
    """Scipy's: each pixel moved towards the mean of the nine around it, the more the less they vary."""
    with np.errstate(all="ignore"):  # where nothing varies it divides by 0
        filtered = [[signal.wiener(plane, 3) for plane in image] for image in damaged.astype(np.float64)]
    return np.nan_to_num(np.array(filtered))


def linear(kind: str, strength: float, damaged: np.ndarray, train: np.ndarray) -> np.ndarray:
    """The best affine map, fitted to training images damaged like this; for noise, Wiener's filter.

    Of colours each is mapped by itself, and of images above 32 pixels each quarter: one map for all.
    """
    x, y = pieces(train).astype(np.float64), pieces(damaged)
    if kind == "Gaussian":
        return whole(sg.asnumpy(wiener(y, x.mean(axis=0), np.cov(x.T, ddof=0), strength)), damaged.shape)
    copies = [
        pieces(sg.asnumpy(denoise.damage(sg.asarray(train), kind, strength, sg.RandomStream(1, "linear", i))))
        for i in range(max(1, ROWS // len(x)))
    ]
    seen, clean = np.concatenate(copies).astype(np.float64), np.concatenate([x] * len(copies))
    centred, middle = seen - seen.mean(axis=0), clean.mean(axis=0)
    ridge = 1e-3 * len(seen) * np.eye(x.shape[1])
    weights = np.linalg.solve(centred.T @ centred + ridge, centred.T @ (clean - middle))
    return whole(middle + (y - seen.mean(axis=0)) @ weights, damaged.shape)


def pieces(images: np.ndarray) -> np.ndarray:
    """Each colour of each image, or of images above 32 pixels its quarters, as a row: (rows, pixels)."""
    n, colours, height, width = images.shape
    k = 1 if height <= 32 else 2
    cut = images.reshape(n, colours, k, height // k, k, width // k).transpose(0, 1, 2, 4, 3, 5)
    return cut.reshape(n * colours * k * k, -1)


def whole(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The images whose `pieces` are the rows.

    Examples
    --------
    >>> images = np.arange(2 * 3 * 64 * 64).reshape(2, 3, 64, 64)
    >>> pieces(images).shape, bool((whole(pieces(images), images.shape) == images).all())
    ((24, 1024), True)
    """
    n, colours, height, width = shape
    k = 1 if height <= 32 else 2
    cut = rows.reshape(n, colours, k, k, height // k, width // k).transpose(0, 1, 2, 4, 3, 5)
    return cut.reshape(shape)


def arrows(points: dict[str, np.ndarray]) -> Any:
    """Where the best denoiser and the network move noisy points of the plane."""
    figure = new_figure(WIDTH, 3.7)
    figure.set_layout_engine("constrained")
    titles = {"best": "E[x | x'], by its formula", "learnt": "the autoencoder"}
    for i, (name, title) in enumerate(titles.items()):
        axes = figure.add_subplot(1, 2, i + 1)
        axes.scatter(
            points["clean"][:1500, 0], points["clean"][:1500, 1], s=2, color=SOFT, alpha=0.4, linewidths=0
        )
        start, end = points["noisy"][:150], points[name][:150]
        axes.quiver(
            *start.T,
            *(end - start).T,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.004,
            color=CATEGORIES[0],
        )
        axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
        axes.set_title(title, fontsize=10, loc="left")
        axes.spines[:].set_visible(False)
    return figure


def write(
    models: dict[str, Autoencoder],
    copier: Autoencoder,
    narrow: Autoencoder,
    data: Images,
    shown: Damaged,
    points: dict[str, np.ndarray],
    options: Any,
    run: Run,
) -> dict[str, str]:
    """Put all on the page, and return its numbers."""
    test = data.test[: len(next(iter(shown.values())))]
    few = _lesson.some(data.train[:ROWS], 20_000_000)
    table: list[list[Any]] = [
        ["damage", "strength", "as it came", "median", "local Wiener", "best linear", "autoencoder"]
    ]
    best, lost, rows = [], [], {"clean": test}
    for (kind, strength), damaged in shown.items():
        y = sg.asnumpy(damaged)
        outputs = {
            "as it came": y,
            "median": median(y),
            "local Wiener": local_wiener(y),
            "best linear": linear(kind, strength, y, few),
            "autoencoder": denoise.cleaned(models[kind], damaged),
        }
        decibels = [denoise.quality(a, test) for a in outputs.values()]
        table.append([kind, f"{strength:g}", *(f"{d:.1f}" for d in decibels)])
        best.append(decibels[-1] - max(decibels[:-1]))
        if best[-1] <= 0:
            lost.append(f"{kind} {strength:g}")
        if strength == denoise.STRENGTHS[kind][1]:
            for name in ("as it came", "median", "best linear", "autoencoder"):
                rows[f"{name}\n{kind} {strength:g}"] = outputs[name].clip(0, 1)
    numbers = {
        "kinds and strengths where the autoencoder is best": f"{len(best) - len(lost)} of {len(best)}",
        "mean gain over the best of the others": f"{np.mean(best):.1f} dB",
    }
    run.section(
        f"Denoising on {data.name}",
        r"$$L = \left\| x - f(e(x')) \right\|^2 \text{, where } x' \text{ is a damaged copy of } x$$"
        "\n\n"
        f"PSNR in decibels on {len(test):,} test images: 10 more is a tenth of the squared error. Median "
        "and local Wiener filter (scipy, 3 by 3 pixels) know only that neighbours are alike. The best "
        "affine map knows the training images, and was fitted to each kind and strength by itself"
        f"{PARTS if len(pieces(test)) > len(test) else ''}; one autoencoder serves all strengths of a kind."
        + (f" It is not the best at: {', '.join(lost)}." if lost else ""),
        numbers=numbers,
        table=table,
        pictures={"Test images, damaged, and what is made of them": plots.image_rows(rows)},
    )
    _plane(points, run)
    _copying(copier, narrow, models["Gaussian"], shown, test, options, run)
    _limits(models, shown, test, run)
    return numbers


BEST = (
    r"$$\mathbb{E} \left\| x - g(x') \right\|^2 \;&=\; \mathbb{E} \left\| x - \mathbb{E}[x|x'] \right\|^2 \\"
    r" &+\; \mathbb{E} \left\| \mathbb{E}[x|x'] - g(x') \right\|^2$$"
)


def _plane(points: dict[str, np.ndarray], run: Run) -> None:
    """What is best, and how near the network came."""

    def error(a: str, b: str) -> float:
        return float(np.mean(np.sum((points[a] - points[b]) ** 2, axis=1)))

    table = [["", "mean squared error"]]
    table += [["noisy points", f"{error('clean', 'noisy'):.4f}"]]
    table += [
        ["autoencoder", f"{error('clean', 'learnt'):.4f}"],
        ["E[x | x']", f"{error('clean', 'best'):.4f}"],
    ]
    run.section(
        "What it has to become",
        f"{BEST}\n\n"
        "The first part is what the noise has destroyed: no g can avoid it. Eight bumps in the plane, "
        "blurred with a standard deviation of 0.5: here E[x|x'] is a formula. The autoencoder never saw "
        f"it, and its distance from it, the second part, is {error('best', 'learnt'):.4f}. Each arrow "
        "moves a noisy point up the slope of the log-density, by sigma squared times the gradient: that "
        "is Tweedie's formula, and what diffusion models are made of.",
        table=table,
        pictures={"150 noisy points, and where each is moved": arrows(points)},
    )


def _copying(
    copier: Autoencoder,
    narrow: Autoencoder,
    trained: Autoencoder,
    shown: Damaged,
    test: np.ndarray,
    options: Any,
    run: Run,
) -> None:
    """An autoencoder with room for everything, with and without noise in training."""
    clean, noisy = sg.asarray(test), shown["Gaussian", 0.3]
    came = denoise.quality(noisy, test)
    table: list[list[Any]] = [
        ["trained", "numbers in the code", "clean images come back", "noisy images come back"]
    ]
    found = []
    for name, model in {
        "without noise": copier,
        "without noise, narrow": narrow,
        "with noise": trained,
    }.items():
        back = [denoise.quality(denoise.cleaned(model, x), test) for x in (clean, noisy)]
        found.append(back)
        dims = 16 if model is narrow else options.code_dim
        table.append([name, dims, *(f"{b:.1f} dB" for b in back)])
    gain = found[0][1] - came
    verdict = (
        "It copies: the noise comes back with the image" if gain < 3 else "It does more than copy even so"
    )
    run.section(
        "Room for everything, and nothing learnt",
        f"The images have {test[0].size} pixels, the code {options.code_dim} numbers. Without noise the "
        f"network can pass everything through. {verdict} ({gain:+.1f} dB against {came:.1f} dB as it "
        f"came). A narrow code cannot copy, and cleans a little ({found[1][1] - came:+.1f} dB) at the "
        f"price of what it cannot keep. The wide one that was shown noise gains {found[2][1] - came:+.1f} "
        "dB: to undo damage it has to know what images look like.",
        table=table,
    )


def _limits(models: dict[str, Autoencoder], shown: Damaged, test: np.ndarray, run: Run) -> None:
    """Damage of a kind never seen; and noise so strong that the mean is no image."""
    middle = {kind: shown[kind, strengths[1]] for kind, strengths in denoise.STRENGTHS.items()}
    table: list[list[Any]] = [
        ["trained against", *(f"{kind} {denoise.STRENGTHS[kind][1]:g}" for kind in middle)]
    ]
    table += [["(as it came)", *(f"{denoise.quality(x, test):.1f}" for x in middle.values())]]
    for kind, model in models.items():
        table.append(
            [kind, *(f"{denoise.quality(denoise.cleaned(model, x), test):.1f}" for x in middle.values())]
        )
    strong = denoise.damage(sg.asarray(test), "Gaussian", 1.5, sg.RandomStream(0, "strong"))
    rows = {
        "clean": test,
        "as it came\nsigma 1.5": sg.asnumpy(strong).clip(0, 1),
        "autoencoder": denoise.cleaned(models["Gaussian"], strong),
    }
    run.section(
        "When it fails",
        "Each network undoes the damage that it was shown; against another kind (off the diagonal, in "
        "decibels) it may do harm. And where the damage leaves several possibilities open, the mean of "
        "all of them is an image of none: grey and blurred. The right answer to 'what could it have been' "
        "is a sample, not a mean, and that takes a generative model.",
        table=table,
        pictures={
            "Noise stronger than any in training: the mean of what it could have been": plots.image_rows(rows)
        },
    )
