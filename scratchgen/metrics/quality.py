"""Quality of image samples as a classifier sees it: both rules of the course on any labelled images.

Rule 1, samples look as if drawn from P_data: a classifier that was trained on the data is sure what it sees,
sees every class, and finds the features of samples distributed as those of test images. Rule 2, they are
suitably different from the observations: as far from the training images as test images are.

Every number stands beside its yardstick, what real images that no model was trained on score themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..autograd import no_grad, raw
from ..backend import asarray, asnumpy, checks
from ..data import Images
from .frechet import frechet_distance
from .memorisation import median_ratio
from .neighbours import Floats, check_points, evenly, nearest_distances

SURE = 0.9
IMAGES_AT_ONCE = 500


class SeesClasses(Protocol):
    """What `sample_quality` needs of a classifier; `scratchgen.networks.ConvClassifier` is one."""

    def features(self, x: Any) -> Any:
        """Images to features, shape (batch, features)."""
        ...

    def logits(self, x: Any) -> Any:
        """Images to logits, shape (batch, classes)."""
        ...


@dataclass(frozen=True, eq=False)
class SampleQuality:
    """What samples score, each number beside what real images score."""

    confident: float
    """The share of samples of which the classifier is surer than 0.9."""
    confident_real: float
    """That share of the test images."""
    class_shares: Floats
    """The share of each class among the samples, as the classifier sees it; shape (classes,)."""
    frechet: float
    """The Fréchet distance of the samples' features from those of the test images."""
    frechet_real: float
    """The distance of as many training images from the test images: no model can be expected below it."""
    nearest: float
    """Median distance to the nearest training image in units of that of test images; 0 is a copy."""
    copies: float
    """The share of samples at most a third as far from one training image as from any other."""
    copies_real: float
    """That share of the test images."""

    @property
    def smallest_share(self) -> float:
        """The share of the class that the samples show least."""
        return float(self.class_shares.min())


def sample_quality(samples: Any, classifier: SeesClasses, data: Images) -> SampleQuality:
    """Score image samples by what a classifier makes of them, and by the nearest training images.

    With p(c|x) the classifier's probabilities, ``confident`` is the share of samples with max_c p(c|x) > 0.9,
    and the class of a sample is the one of the largest. The Fréchet distance is measured in the classifier's
    features, the nearest training images in pixels, as in `distance_ratio` and `memorised_fraction`. The test
    images whose neighbours are measured too are as many as there are samples. Nothing is random.

    Parameters
    ----------
    samples : array
        Images, shape (n, channels, height, width) with n >= 2, float32 or float64 in [0, 1].
    classifier : with ``features(x)`` and ``logits(x)``
        Trained on ``data.train``.
    data : Images

    Returns
    -------
    SampleQuality

    Raises
    ------
    ValueError
        If the samples have another shape than the data, are fewer than two, not finite or outside [0, 1].
    """
    made = checks.examples("samples", samples, data.shape, least=2).astype(np.float32)
    checks.within("samples", made, 0, 1, "divide bytes by 255")
    logits, features = _seen(made, classifier)
    real_logits, real_features = _seen(data.test, classifier)
    _, known_features = _seen(evenly(data.train, len(made)), classifier)
    two, real_two = _two_nearest(made, data), _two_nearest(evenly(data.test, len(made)), data)
    return SampleQuality(
        confident=_confident(logits),
        confident_real=_confident(real_logits),
        class_shares=np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]) / len(logits),
        frechet=frechet_distance(features, real_features),
        frechet_real=frechet_distance(known_features, real_features),
        nearest=median_ratio(two[:, 0], real_two[:, 0]),
        copies=float(np.mean(two[:, 0] <= two[:, 1] / 3)),
        copies_real=float(np.mean(real_two[:, 0] <= real_two[:, 1] / 3)),
    )


def _seen(images: np.ndarray, classifier: SeesClasses) -> tuple[Floats, Floats]:
    """The logits and the features of images, on the host in float64."""
    logits, features = [], []
    with no_grad():
        for start in range(0, len(images), IMAGES_AT_ONCE):
            x = asarray(images[start : start + IMAGES_AT_ONCE])
            logits.append(asnumpy(raw(classifier.logits(x))))
            features.append(asnumpy(raw(classifier.features(x))))
    return np.concatenate(logits).astype(np.float64), np.concatenate(features).astype(np.float64)


def _confident(logits: Floats) -> float:
    """The share of examples whose most probable class has a probability above `SURE`."""
    # 1 / its probability
    others = np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)  # (confident-share)
    return float(np.mean(1 / others > SURE))  # (confident-share)


def _two_nearest(images: np.ndarray, data: Images) -> Floats:
    """The distances of images to their two nearest training images, shape (n, 2)."""
    known = check_points("data.train", data.train, least=2)
    return nearest_distances(check_points("samples", images), known, 2)
