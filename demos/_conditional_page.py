"""The page of the lesson on conditional VAEs: pictures of codes, and verdicts made from numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import scratchgen as sg
from demos._conditional_codes import PARTS, STROKES, Path, traversal
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.models import VAE
from scratchgen.plots.style import CATEGORIES, WIDTH, new_figure, soften
from scratchgen.training import Run

EQUATION = (
    r"$$&\log p(x|y) \;\ge\; \mathbb{E}_q \log p(x|z, y) \\"
    r" &-\; \KL( q(z|x, y) \;\|\; \mathcal{N}(0, I) )$$"
)
ROWS, ASKED = 6, 3
"""Of pictures; and the digit whose style is moved."""


def write(found: dict[str, Any], told: VAE, data: Images, options: Any, run: Run) -> None:
    """All sections."""
    rng, chance = sg.RandomStream(options.seed, "page"), 1 / (told.classes or 1)
    pictures = {"A row is one style z; its columns are told the labels 0, 1, 2 and so on": styles(told, rng)}
    run.section(f"Ask for a class: {data.name}", told_text(found["label"], chance), pictures=pictures)
    run.section(
        "Do latents mean something?",
        axes_text(**found["axes"], of_portraits=found["portraits"][1]),
        table=axes_table(found["axes"]),
        pictures=axes_pictures(told, found, data),
    )
    shown = {"From one test image to another": plots.image_rows(
        {name: path.images.clip(0, 1) for name, path in found["paths"].items() if path.images.size}, 10
    )}  # fmt: skip
    text, table = between_text(found["paths"]), between_table(found["paths"])
    run.section("From one image to another", text, table=table, pictures=shown)
    table = [["latents", "autoencoder, squared error", "VAE, minus the bound", "VAE, latents in use"]]
    table += [[str(n), f"{error:.2f}", f"{bound:.2f}", str(used)] for n, error, bound, used in found["sweep"]]
    run.section("How many latents?", sweep_text(found["sweep"]), table=table)
    curves = {f"The {name}": learning(found["fifty"][name], unit) for name, unit in UNITS.items()}
    run.section("Fifty images only", few_text(found["fifty"]), pictures=curves)


UNITS = {"autoencoder": "squared error", "VAE": "minus the bound, nats"}


def styles(told: VAE, rng: sg.RandomStream) -> Any:
    """Each row one style, each column one label."""
    z, labels = rng.normal((ROWS, told.latent_dim), np.float32), np.arange(told.classes or 1)
    rows = [told.decode(np.repeat(one[None], len(labels), axis=0), labels=sg.asarray(labels)) for one in z]
    return plots.image_rows({f"style {i + 1}": sg.asnumpy(row) for i, row in enumerate(rows)}, len(labels))


def told_text(label: list[float], chance: float) -> str:
    """Whether the label has left the code."""
    plain, told = label
    left = told < chance + (plain - chance) / 4
    verdict = (
        "So the class has left the code, where it would only cost nats, and what remains is style: one z, "
        "decoded with all labels, is one hand writing every digit."
        if left
        else "So the class has not left the code, though it costs nats there: the images of one row differ "
        "by more than their labels. Longer training, or fewer latents, should drive it out."
    )
    return (
        f"{EQUATION}\n\nThe label is given to encoder and decoder, so that one can ask for a digit. Is it "
        f"gone from the code? A linear classifier finds it in {plain:.0%} of a plain VAE's codes, and in "
        f"{told:.0%} of those of the VAE that was told ({chance:.0%} is chance). {verdict}\n\n"
        "When it fails. A label that is wrong is believed; and of what no label says, nothing can be asked."
    )


def best_first(shares: np.ndarray) -> list[int]:
    """The latents, those of which one feature explains most first."""
    return [int(j) for j in np.argsort(-shares.max(axis=1))][:ROWS]


def named(pictures: dict[int, np.ndarray], shares: np.ndarray, names: Any) -> Any:
    """Rows of pictures, each with the name of the feature that explains most of its latent."""
    best = {j: f"{names[int(shares[j].argmax())]} {shares[j].max():.0%}" for j in pictures}
    return plots.image_rows({f"latent {j + 1}\n{best[j]}": row for j, row in pictures.items()}, 9)


def axes_pictures(told: VAE, found: dict[str, Any], data: Images) -> dict[str, Any]:
    """One latent after the other moved, of a digit's style and of a portrait."""
    style, (model, shares, people) = found["axes"]["style"], found["portraits"]
    label = min(ASKED, (told.classes or 1) - 1)
    one = data.test[np.flatnonzero(data.test_labels == label)[:1]]
    start = told.encode(sg.asarray(one), labels=label)
    digits = traversal(told, start, best_first(style), labels=label)
    faces = traversal(model, model.encode(sg.asarray(people[:1])), best_first(shares))
    title = "one latent moved from -2.5 to 2.5, the others at rest; the feature that explains most of it"
    return {
        f"A {label}: {title}": named(digits, style, STROKES),
        f"A portrait: {title}": named(faces, shares, tuple(PARTS.values())),
    }


def axes_table(axes: dict[str, Any]) -> list[list[str]]:
    """The same model with several sets of axes."""
    shares = [axes["style"], *axes["turned"]]
    names = ["as trained", *(f"turned, {i + 1}" for i in range(len(shares) - 1))]
    head = ["axes", "-log p(x|y), nats", "minus the bound, nats", "of a latent explained by one feature"]
    return [head] + [
        [name, f"{nll:.3f} ± {error:.3f}", f"{bound:.3f}", f"{share.max(axis=1).mean():.0%}"]
        for name, (nll, error, bound), share in zip(names, axes["nats"], shares, strict=True)
    ]


def axes_text(style: np.ndarray, turned: np.ndarray, nats: list[Any], of_portraits: np.ndarray) -> str:
    """Names of latents as far as there are any, and the honest answer."""
    (nll, error, bound), others = nats[0], np.array(nats[1:])
    apart, own = others[:, 0].mean() - nll, style.max(axis=1).mean()
    spread = np.hypot(error, np.sqrt((others[:, 1] ** 2).sum()) / len(others))
    price, theirs = others[:, 2].mean() - bound, turned.max(axis=2).mean()
    same = "no difference that could be told from chance" if abs(apart) < 3 * spread else "a difference"
    pays = (
        f"The bound is {price:.2f} nats worse: a diagonal q(z|x) fits one set of axes better than "
        "others, and training has found it"
        if price > 0.05
        else "Not even the bound prefers the axes that training has found"
    )
    names = (
        f"And these have a little more of a name: one feature explains {own:.0%} of a latent, against "
        f"{theirs:.0%} after a turn."
        if own > theirs + 0.02
        else f"These axes have no more of a name than others: one feature explains {own:.0%} of a "
        f"latent, and {theirs:.0%} after a turn."
    )
    pure = [int((shares.max(axis=1) > 0.5).sum()) for shares in (style, of_portraits)]
    return (
        "Of a digit ink, slant, width and height can be measured; of a portrait five features are known. So "
        "a latent can be given the name of the feature that explains most of its variance. More than half of "
        f"it is explained by one feature in {pure[0]} of {len(style)} latents of the digits' style, and in "
        f"{pure[1]} of {len(of_portraits)} of the portraits'.\n\n"
        "Are latents interpretable, then? Nothing in the model asks for it. N(0, I) is round: turn all axes "
        "by an orthogonal matrix, let the decoder turn the code back, and every image is as probable as "
        f"before. Measured on 100 test images, with {len(others)} random turns: -log p(x|y) changes by "
        f"{apart:+.3f} ± {spread:.3f} nats, {same}. {pays}. {names} Whoever needs a latent with a name has "
        "to say so in training, by labels or by another prior."
    )


def between_table(paths: dict[str, Path]) -> list[list[str]]:
    """Means and standard errors over pairs."""
    table = [["", "largest step / mean step", "middle: distance", "random code: distance"]]
    for name, path in paths.items():
        cells = [f"{x.mean():.2f} ± {x.std() / np.sqrt(len(x)):.2f}" if x.size else "" for x in path[:3]]
        table.append([f"{name}, themselves" if name == "test images" else name, *cells])
    return table


def between_text(paths: dict[str, Path]) -> str:
    """Whose way is more even, and whose middle more like an image, by pairs."""
    ae, vae, pixels = paths["autoencoder"], paths["VAE"], paths["pixels"]

    def better(a: np.ndarray, b: np.ndarray, what: str) -> str:
        gap, error = float((a - b).mean()), float((a - b).std() / np.sqrt(len(a)))
        if abs(gap) < 2 * error:
            return f"no difference can be told in {what} ({gap:+.2f} ± {error:.2f})"
        who = "VAE" if gap > 0 else "autoencoder"
        return f"the {who} is better in {what}, by {abs(gap):.2f} ± {error:.2f}"

    ghost = (
        "further from all training images than"
        if pixels.strangeness.mean() > vae.strangeness.mean()
        else "as near as"
    )
    return (
        "Mixed pixels are two images at once; mixed codes should be a path of images. How smooth is it? Two "
        "numbers: the largest of equal steps by the mean one (1 is even), and how far the middle is from the "
        "nearest training image. A third asks the latter of codes that are drawn: from the VAE's prior, and "
        "from a normal that fits the autoencoder's codes. No number alone says enough: mixed pixels change "
        f"perfectly evenly, and their middle is {ghost} the VAE's.\n\n"
        f"Between the two codes, on the same {len(vae.unevenness)} pairs: "
        f"{better(ae.unevenness, vae.unevenness, 'evenness')}; and "
        f"{better(ae.strangeness, vae.strangeness, 'the distance of the middle')}. Of random codes, "
        f"{better(ae.drawn, vae.drawn, 'the distance from training images')}."
    )


def sweep_text(rows: list[Any]) -> str:
    """Where more latents stop to help."""
    sizes, errors, bounds, used = (list(column) for column in zip(*rows, strict=True))
    best, last = int(np.argmin(bounds)), len(rows) - 1
    falls = all(b < a for a, b in pairwise(errors))
    gains = "gains by every step" if falls else f"is best with {sizes[int(np.argmin(errors))]}"
    harm = bounds[last] - bounds[best]
    many = (
        f"; {sizes[last]} cost {harm:.2f} nats more than that, {sizes[0]} cost {bounds[0] - bounds[best]:.2f}"
        if best < last
        else f"; {sizes[0]} costs {bounds[0] - bounds[best]:.2f} nats more"
    )
    return (
        f"An autoencoder {gains}: test error {errors[0]:.1f} with {sizes[0]}, {errors[last]:.1f} with "
        f"{sizes[last]}. Of its codes nobody asks a price. A VAE pays for each number that it sends: "
        f"its bound is best with {sizes[best]} latents, and of {sizes[last]} it uses {used[last]}{many}."
    )


def few_text(fifty: dict[str, Any]) -> str:
    """What fifty images do to both, and when one should have stopped."""
    parts, worse = [], []
    for name, unit in (("autoencoder", ""), ("VAE", " nats")):
        rows = fifty[name]
        best, end = min(rows, key=lambda row: row["test images"]), rows[-1]
        worse += [name] * (end["test images"] > 1.02 * best["test images"])
        parts.append(
            f"The {name} ends with {end['the fifty']:.1f}{unit} on the fifty and {end['test images']:.1f} on "
            f"test images; its best on these was {best['test images']:.1f}, after {best['step']:,} steps"
        )
    verdict = {
        0: "Neither gets worse on test images by training on, though all that it gains is on the fifty.",
        1: f"The {''.join(worse)} gets worse on test images while it still gets better on the fifty; the "
        "other does not, in so many steps.",
        2: "Both get worse on test images while they get better on the fifty: the noise in its code is no "
        "cure for a VAE, since fifty clouds are few enough for a decoder to tell apart.",
    }[len(worse)]
    return f"{'. '.join(parts)}. {verdict} The curve on images that were left out says when to stop."


def learning(rows: list[dict[str, float]], unit: str) -> Any:
    """Both curves on one pair of axes."""
    figure = new_figure(WIDTH, 2.6)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for color, name in zip(CATEGORIES, ("the fifty", "test images"), strict=False):
        axes.plot([row["step"] for row in rows], [row[name] for row in rows], color=color, label=name)
    axes.set(xlabel="steps", ylabel=unit)
    axes.legend(frameon=False, fontsize=8)
    soften(axes, "y")
    return figure
