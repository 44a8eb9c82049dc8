"""The page of the lesson on compression: tables of files, and a chart of bits against error."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchgen import plots
from scratchgen.data import Images
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften
from scratchgen.training import Run

PUBLISHED = {
    "black and white": "0.19 bits per pixel by bits back, bz2 0.25, gzip 0.33, WebP 0.44, PNG 0.78",
    "256 levels": "1.41 bits per pixel by bits back, bz2 1.42, gzip 1.64, WebP 2.10, PNG 2.79",
}
"""MNIST's test images (Townsend, Bird & Barber 2019, table 2)."""


def section(
    title: str, x: np.ndarray, found: dict[str, Any], others: dict[str, int], data: Images, run: Run
) -> None:
    """One kind of images: the table of files."""
    table = [
        ["", "file, bytes", "bits per pixel", "above its bound", "the model, bytes", "coding, s", "back, s"]
    ]
    for name, it in found.items():
        excess = f"{100 * (it.size / it.bound - 1):+.2f} %"
        times = (f"{it.encoding:.1f}", f"{it.decoding:.1f}")
        table.append([name, f"{it.size:,}", f"{8 * it.size / x.size:.3f}", excess, f"{it.model:,}", *times])
    for name, size in sorted(others.items(), key=lambda pair: -pair[1]):
        table.append([name, f"{size:,}", f"{8 * size / x.size:.3f}", "", "", "", ""])
    run.section(f"{len(x):,} test images of {data.name}, {title}", text(title, x, found, others), table=table)


def text(title: str, x: np.ndarray, found: dict[str, Any], others: dict[str, int]) -> str:
    """What the table shows, and what it does not."""
    best, rival = min(found, key=lambda name: found[name].size), min(others, key=lambda name: others[name])
    saved = 1 - found[best].size / others[rival]
    worst = max(it.size / it.bound - 1 for it in found.values())
    whole = found[best].size + found[best].model
    if saved > 0:
        verdict = f"The shortest file is that of {best}, {100 * saved:.0f} % shorter than {rival}'s"
    else:
        verdict = f"No model's file is as short as {rival}'s; the best is that of {best}"
    pays = others[rival] - found[best].size
    when = (
        f"about {int(found[best].model / pays * len(x)):,} images have to be sent before it has paid for "
        "itself"
        if pays > 0
        else "it never pays for itself"
    )
    published = f" Published for MNIST: {PUBLISHED[title]}." if title in PUBLISHED else ""
    return (
        f"Every file was decompressed, and gave back what went in, bit for bit. {verdict}. All models' "
        "files are "
        f"within {100 * worst:.2f} % of what the likelihood (of the VAE, the bound) promises: header, "
        "checksum and "
        f"starting bits are counted.\n\nWhat is not in the file is the model. With it, {best} takes "
        f"{whole:,} bytes; "
        f"{when}. A general program knows nothing of such images, and needs no model.{published}"
    )


def lossy(found: list[Any], data: Images, run: Run) -> None:
    """The chart of bits against error, and images at the end of each curve."""
    figure = new_figure(WIDTH, 3.6)
    axes = figure.add_axes((0.1, 0.15, 0.86, 0.8))
    kinds = list(dict.fromkeys(it.name for it in found))
    for kind, colour in zip(kinds, CATEGORIES[::2], strict=False):
        points = sorted((it.bits, it.error) for it in found if it.name == kind)
        axes.plot(*zip(*points, strict=True), "o-", color=colour, label=kind)
    axes.set_xlabel("bits for each image", color=SOFT, fontsize=9)
    axes.set_ylabel("squared error", color=SOFT, fontsize=9)
    axes.legend(frameon=False, labelcolor=INK)
    soften(axes, grid="y")
    rows = {"test\nimages": data.test}
    for kind in kinds:
        ours = sorted((it for it in found if it.name == kind), key=lambda it: it.bits)
        rows |= {f"{kind}\n{it.bits:.0f} bits": it.images for it in (ours[0], ours[2], ours[-1])}
    pictures = {"Bits against error": figure, "Compressed, and back": plots.image_rows(rows)}
    run.section("With losses: codes rounded to a grid", lossy_text(found), pictures=pictures)


def lossy_text(found: list[Any]) -> str:
    """Which code is better at few bits, and which at many."""
    curves = {
        name: np.array(sorted((it.bits, it.error) for it in found if it.name == name)).T
        for name in ("PCA", "autoencoder")
    }
    low = max(c[0, 0] for c in curves.values())
    high = min(c[0, -1] for c in curves.values())
    verdicts = []
    for bits in (low, high):
        pca, ours = (float(np.interp(bits, *curves[name])) for name in ("PCA", "autoencoder"))
        better = "the autoencoder" if ours < pca else "PCA"
        verdicts.append(f"at {bits:.0f} bits {better} (autoencoder {ours:.2f}, PCA {pca:.2f})")
    return (
        "If an image may come back a little wrong, its code is enough: as many numbers, each rounded to a "
        "grid, and "
        "the cells coded with the frequencies that they have in the training images, by the same coder. A "
        "coarser "
        f"grid costs fewer bits and more error. The smaller error has {verdicts[0]}, and {verdicts[1]}. An "
        "autoencoder that was not told of the rounding need not win: its codes may lie closer than the "
        "grid."
    )
