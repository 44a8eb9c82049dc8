"""What the lesson on compression compares with: general programs, image formats, and PCA with losses."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

import scratchgen as sg
from demos import _lesson, _pictures
from scratchgen.coding.ans import Stack, intervals
from scratchgen.coding.counts import BITS, counts_of_weights, cumulative
from scratchgen.data import Images
from scratchgen.models import Autoencoder
from scratchgen.training import fit


def sizes(x: np.ndarray, levels: int) -> dict[str, int]:
    """Bytes of the same images by programs that know nothing of digits.

    Gzip, bz2 and lzma get all images at once, black and white ones as bits; PNG and WebP (lossless) one
    picture of all of them, side by side, since a file for each would be mostly headers.
    """
    whole = np.rint(x * (levels - 1)).astype(np.uint8)
    packed = (np.packbits(whole) if levels == 2 else whole).tobytes()
    found = {
        "gzip": len(gzip.compress(packed, 9)),
        "bz2": len(bz2.compress(packed, 9)),
        "lzma": len(lzma.compress(packed, preset=9 | lzma.PRESET_EXTREME)),
    }
    n, _, height, width = whole.shape
    columns = max(1, min(16_000 // width, math.ceil(math.sqrt(n * height / width))))
    rows = math.ceil(n / columns)
    colours = whole.shape[1]
    sheet = np.zeros((rows * columns, height, width, colours), np.uint8)
    sheet[:n] = whole.transpose(0, 2, 3, 1) * (255 // (levels - 1))
    sheet = sheet.reshape(rows, columns, height, width, colours).swapaxes(1, 2)
    picture = Image.fromarray(
        sheet.reshape(rows * height, -1, colours).squeeze(-1)
        if colours == 1
        else sheet.reshape(rows * height, -1, colours)
    )
    for name, options in (
        ("PNG", {"optimize": True}),
        ("WebP", {"lossless": True, "quality": 100, "method": 6}),
    ):
        out = io.BytesIO()
        bits = levels == 2 and colours == 1 and name == "PNG"
        (picture.convert("1") if bits else picture).save(out, name, **options)
        found[name] = len(out.getvalue())
    return found


class Lossy(NamedTuple):
    """What a code of a few numbers costs and loses."""

    name: str
    bits: float
    """For each image."""
    error: float
    """Squared error of an image, summed over its pixels."""
    images: np.ndarray


def rate_and_distortion(data: Images, options: Any) -> list[Lossy]:
    """An autoencoder's codes and those of PCA, rounded to grids of several widths, by one coder."""
    some, test = _pictures.for_components(data.train), _lesson.some(data.test[:1000])
    flat = some.reshape(len(some), -1).astype(np.float64)
    mean, dimension = flat.mean(axis=0), options.latent_dim
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2][:dimension]
    model = Autoencoder.dense(
        data.train.shape[1:], options.hidden_dim, dimension, rng=sg.RandomStream(options.seed, "lossy")
    )
    steps = _lesson.steps(options, 3000)
    schedule = sg.optim.schedules.cosine(options.lr, steps)
    fit(model.loss, data.train, sg.optim.Adam(model.parameters(), options.lr), steps=steps, schedule=schedule,
        seed=options.seed, quiet=True)  # fmt: skip
    found = []
    kinds = {
        "PCA": (lambda y: (y.reshape(len(y), -1) - mean) @ axes.T, lambda z: z @ axes + mean),
        "autoencoder": (
            lambda y: sg.asnumpy(model.encode(sg.asarray(y.astype(np.float32)))),
            lambda z: sg.asnumpy(model.decode(sg.asarray(z.astype(np.float32)))),
        ),
    }
    for name, (encode, decode) in kinds.items():
        train_codes, codes = encode(_lesson.some(data.train)), encode(test)
        for width in (2.0, 1.0, 0.5, 0.25, 0.125):
            step = width * train_codes.std()
            before = np.rint(train_codes / step).astype(np.int64)
            low, high = before.min(axis=0) - 1, before.max(axis=0) + 1
            cells = (
                np.rint(codes / step).astype(np.int64).clip(low, high)
            )  # what lies beyond stands at the end
            back = np.asarray(decode(cells * step)).reshape(test.shape)
            error = ((back - test) ** 2).sum() / len(test)
            found.append(Lossy(name, coded_bits(cells, before) / len(test), float(error), back.clip(0, 1)))
    return found


def coded_bits(cells: np.ndarray, before: np.ndarray) -> int:
    """Bits of whole numbers (n, latents), each latent's probabilities being those of the training codes.

    Each is counted from one below the lowest to one above the highest that was seen; no count is 0.
    """
    stack = Stack(lanes=1)
    for seen, now in zip(before.T, cells.T, strict=True):
        low = seen.min() - 1
        counts = np.bincount(seen - low, minlength=seen.max() - low + 2) * 64 + 1
        table = cumulative(counts_of_weights(counts[None].astype(np.int64)))
        stack.push_all(*intervals(np.repeat(table, len(now), axis=0), now - low), BITS)
    return 8 * len(stack.to_bytes())
