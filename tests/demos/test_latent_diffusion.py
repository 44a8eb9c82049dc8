"""The lesson on latent diffusion: it runs, and its verdict says what the numbers say."""

from __future__ import annotations

from pathlib import Path

import pytest

from demos import _latent_page, latent_diffusion
from scratchgen.backend import RandomStream
from scratchgen.training import Run


def test_the_page_compares_both_ways(tmp_path: Path) -> None:
    run = Run("latent_diffusion", root=tmp_path)
    options = latent_diffusion.Options(out=tmp_path, quick=True, steps=2, batch_size=16, noise_steps=50)
    outcome = latent_diffusion.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("diffusion of codes", "8 x 2 x 2", "1 x 8 x 8", "What the autoencoder loses", "N(0, I)"):
        assert known in page
    samples = outcome.sample(5, RandomStream(0))
    assert samples.shape == (5, 1, 8, 8)
    assert 0 <= samples.min() <= samples.max() <= 1


@pytest.mark.parametrize(
    ("ours", "theirs", "cost", "said"),
    [
        (20.0, 21.0, (1.0, 4.2), "4.2 times cheaper than one of pixels"),
        (20.0, 21.0, (1.0, 4.2), "the distance is as good: 20 against 21"),
        (10.0, 21.0, (1.0, 4.2), "the distance is better: 10 against 21"),
        (30.0, 21.0, (2.0, 1.0), "2.0 times dearer"),
        (30.0, 21.0, (2.0, 1.0), "the distance is worse: 30 against 21"),
    ],
)
def test_the_verdict(ours: float, theirs: float, cost: tuple[float, float], said: str) -> None:
    costs = {("codes", 5): cost[0], ("pixels", 5): cost[1]}
    scores = {("codes", 5): {"distance": ours}, ("pixels", 5): {"distance": theirs}}
    assert said in _latent_page.judged(costs, scores, {"codes": 0.1, "pixels": 0.5}, (5,))
