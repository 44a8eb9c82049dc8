"""MNIST, or a folder: each class in turn is the healthy one, and the others are what it never saw."""

from __future__ import annotations

import numpy as np

from demos import _anomalies_page, _lesson, anomalies
from demos._anomalies_others import baselines
from scratchgen.metrics import auroc
from scratchgen.training import Run


def lesson(options: anomalies.Options, run: Run) -> dict[str, list[float]]:
    """The AUROC of each score for each class (the first ten of a folder's), over all test images."""
    data = _lesson.images(options)
    test, labels = _lesson.some(data.test), data.test_labels[: len(_lesson.some(data.test))]
    names = (data.class_names or tuple(map(str, range(10))))[:10]
    found: dict[str, list[float]] = {}
    for digit, name in enumerate(names):
        own = data.train[data.train_labels == digit]
        healthy, spare = np.split(own, [-min(500, len(own) // 5)])
        models = [
            anomalies.autoencoder(healthy, code, options, run, f"digit-{digit}", 1000)
            for code in anomalies.CODES["mnist"]
        ]
        maps = baselines(healthy)
        maps["autoencoders"] = anomalies.together([anomalies.error_map(model) for model in models], spare)
        for score, each in maps.items():
            found.setdefault(score, []).append(auroc(anomalies.scores(each(test)), labels != digit))
        print(
            f"{name}: " + "  ".join(f"{score} {areas[-1]:.3f}" for score, areas in found.items()), flush=True
        )
    _anomalies_page.in_turn(found, names, len(test), data.name, run)
    return found
