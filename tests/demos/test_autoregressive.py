"""The lesson on autoregressive models: it runs, resumes, and completes only what is not given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import autoregressive
from scratchgen.backend import RandomStream
from scratchgen.models import PixelCNN
from scratchgen.training import Run


def test_the_page_has_all_models_and_their_exact_likelihoods(tmp_path: Path) -> None:
    run = Run("autoregressive", root=tmp_path)
    options = autoregressive.Options(
        out=tmp_path, steps=2, hidden_dim=16, channels=4, layers=2, batch_size=16
    )
    outcome = autoregressive.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("naive Bayes", "nade", "made", "pixelcnn", "Lower halves drawn anew", "27.00"):
        assert known in page
    samples = outcome.sample(5, RandomStream(0))
    assert samples.shape == (5, 1, 8, 8)
    assert set(np.unique(samples)) <= {0, 1}


def test_a_completion_keeps_what_is_given() -> None:
    model = PixelCNN((1, 6, 4), channels=4, layers=2, rng=RandomStream(0))
    given = RandomStream(1).bernoulli(sg.asarray(np.full((50, 1, 6, 4), 0.5, np.float32)))
    drawn = sg.asnumpy(autoregressive.complete(model, given, RandomStream(2)))
    np.testing.assert_array_equal(drawn[:, :, :3], sg.asnumpy(given)[:, :, :3])
    assert 0.3 < drawn[:, :, 3:].mean() < 0.7
    assert (drawn[:, :, 3:] != sg.asnumpy(given)[:, :, 3:]).any()


def test_published_numbers_are_of_mnist() -> None:
    for options in (
        autoregressive.Options(published=True, model="nade"),
        autoregressive.Options(published=True, data="mnist"),
    ):
        with pytest.raises(SystemExit, match="--published: needs --data mnist, and --model nade or pixelcnn"):
            options.check()
