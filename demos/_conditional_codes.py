"""Measures for the lesson on conditional VAEs: what is in codes, what axes mean, what lies between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos.autoencoder import likely
from scratchgen.data import Images, avatars, binarise
from scratchgen.metrics import path_unevenness
from scratchgen.metrics.neighbours import nearest_distances
from scratchgen.models import VAE, Autoencoder
from scratchgen.models.vae import turned

STROKES = ("ink", "slant", "width", "height")
"""Of a digit: how much is dark, how far it leans, how far it spreads to the sides, and up and down."""
PARTS = dict(
    zip(avatars.ATTRIBUTES, ("hair", "hair colour", "glasses", "clothes", "clothes' colour"), strict=True)
)


def label_found(codes: np.ndarray, labels: np.ndarray) -> float:
    """How often a linear classifier of the codes finds the label; half of them to fit, half to test."""
    inputs = np.concatenate([codes, np.ones((len(codes), 1))], axis=1).astype(np.float64)
    half, targets = len(codes) // 2, np.eye(int(labels.max()) + 1)[labels]
    weights = np.linalg.lstsq(inputs[:half], targets[:half], rcond=None)[0]
    return float(((inputs[half:] @ weights).argmax(axis=1) == labels[half:]).mean())


def strokes(images: np.ndarray) -> np.ndarray:
    """What can be measured of a digit, each in eight levels of as many images: (n, 4), as `STROKES`."""
    greys = images.mean(axis=1).astype(np.float64)
    greys /= greys.sum(axis=(1, 2), keepdims=True).clip(1e-9)
    rows, columns = np.mgrid[: greys.shape[1], : greys.shape[2]]
    up, side = (-(greys * at).sum((1, 2))[:, None, None] + at for at in (rows, columns))
    tall, wide, lean = ((greys * square).sum((1, 2)) for square in (up * up, side * side, -up * side))
    ink = images.reshape(len(images), -1).sum(axis=1)
    measured = np.stack([ink, lean / tall.clip(1e-9), wide, tall], axis=1)
    levels = np.quantile(measured, np.linspace(0, 1, 9)[1:-1], axis=0)  # (7, 4)
    return (measured[:, None] > levels).sum(axis=1)


def explained(codes: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The share of each latent's variance that each feature explains, by its levels: (latents, features)."""
    codes = codes.astype(np.float64)
    shares = np.zeros((codes.shape[1], features.shape[1]))
    for k, feature in enumerate(features.T):
        seen, which = np.unique(feature, return_inverse=True)
        means = np.stack([codes[which == level].mean(axis=0) for level in range(len(seen))])
        shares[:, k] = means[which].var(axis=0) / codes.var(axis=0).clip(1e-12)
    return shares


def any_turn(model: VAE, rng: sg.RandomStream) -> VAE:
    """The same model of x, with axes turned at random."""
    square = sg.asnumpy(rng.normal((model.latent_dim, model.latent_dim), np.float64))
    return turned(model, np.linalg.qr(square)[0])


def nats(model: VAE, data: Images, options: Any, stream: int) -> tuple[float, float, float]:
    """-log p(x|y) of some images by importance sampling, its standard error, and minus the bound."""
    x, labels = sg.asarray(data.test[:100]), sg.asarray(data.test_labels[:100])
    x = binarise(x, sg.RandomStream(options.seed, "tossed"))
    rng, samples = sg.RandomStream(options.seed, "nats", stream), 5 if options.quick else 100
    with sg.no_grad():
        drawn = [
            float(sg.asnumpy(model.log_marginal(x, rng, samples, labels=labels)).mean()) for _ in range(4)
        ]
    bound = float(sg.asnumpy(model.anomaly_score(x, rng, samples, labels=labels)).mean())
    return -float(np.mean(drawn)), float(np.std(drawn, ddof=1) / 2), bound


def squared_error(model: Autoencoder, images: np.ndarray) -> float:
    """Of reconstructions, per image."""
    return float(((sg.asnumpy(model.reconstruct(sg.asarray(images))) - images) ** 2).sum() / len(images))


def minus_bound(model: VAE, images: np.ndarray) -> float:
    """Of coin tosses of the greys, in nats per image."""
    tossed = binarise(sg.asarray(images), sg.RandomStream(0, "tossed"))
    return float(sg.asnumpy(model.anomaly_score(tossed, sg.RandomStream(1), 5)).mean())


def seen(rows: list[Any]) -> list[Any]:
    """The rows in which somebody has looked."""
    return [{k: row[k] for k in ("step", "the fifty", "test images")} for row in rows if "the fifty" in row]


class Path(NamedTuple):
    """What lies between pairs of images."""

    unevenness: np.ndarray
    """The largest step by the mean one, for each pair."""
    strangeness: np.ndarray
    """How far the middle is from the nearest training image, for each pair."""
    drawn: np.ndarray
    """The same of images of codes that are drawn from a normal."""
    images: np.ndarray
    """The first path, in ten steps."""


def paths(models: Mapping[str, Any], data: Images, pairs: int = 200) -> dict[str, Path]:
    """By mixing pixels, and by mixing the codes of each model; the last row is of real images."""
    count = min(pairs, len(data.test) // 2)
    first, last = data.test[:count], data.test[count : 2 * count]
    train = data.train[:10_000].reshape(len(data.train[:10_000]), -1).astype(np.float64)

    def nearest(x: np.ndarray) -> np.ndarray:
        flat = x.reshape(len(x), train.shape[1]).astype(np.float64)
        return nearest_distances(flat, train, 1)[:, 0]

    def measured(between: np.ndarray, drawn: np.ndarray) -> Path:
        strange = nearest(between[:, between.shape[1] // 2])
        return Path(path_unevenness(between), strange, nearest(drawn), between[0, ::2])

    def decoded(model: Any, z: np.ndarray) -> np.ndarray:
        return sg.asnumpy(model.decode(sg.asarray(z.reshape(-1, z.shape[-1]))))

    t, none = np.linspace(0, 1, 19, dtype=np.float32)[:, None], np.zeros(0)
    found = {"pixels": measured(mixed(t, first, last), first[:0])}
    for name, model in models.items():
        ends = (sg.asnumpy(model.encode(sg.asarray(x))) for x in (first, last))
        images = decoded(model, mixed(t, *ends)).reshape(count, len(t), *data.test.shape[1:])
        found[name] = measured(images, decoded(model, random_codes(model, data, count)))
    return found | {"test images": Path(none, nearest(data.test[: 2 * count]), none, none)}


def random_codes(model: Any, data: Images, n: int) -> np.ndarray:
    """Of a VAE, from its prior; of an autoencoder, from the normal that fits the codes of training images."""
    codes = sg.asnumpy(model.encode(sg.asarray(data.train[:10_000]))).astype(np.float64)
    z = sg.asnumpy(sg.RandomStream(0, "codes").normal((n, codes.shape[1]), np.float64))
    return (likely(codes, z) if isinstance(model, Autoencoder) else z).astype(np.float32)


def mixed(t: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Both in equal steps from the one to the other: (n, steps, ...)."""
    a, b = (x.reshape(len(x), 1, -1) for x in (first, last))
    return ((1 - t) * a + t * b).reshape(len(first), len(t), *first.shape[1:])


def traversal(model: VAE, start: Any, latents: Any, **told: Any) -> dict[int, np.ndarray]:
    """What a code decodes to while one latent goes from -2.5 to 2.5, for each of some latents."""
    found = {}
    for j in latents:
        z = np.repeat(sg.asnumpy(start), 9, axis=0)
        z[:, j] = np.linspace(-2.5, 2.5, 9)
        found[int(j)] = sg.asnumpy(model.decode(sg.asarray(z), **told)).clip(0, 1)
    return found
