"""The published VAE and IWAE: refused where their numbers mean nothing, trained on the bound of k samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demos import _lesson, _published, _published_priors, priors, vae
from scratchgen import RandomStream
from scratchgen.data import Images
from scratchgen.training import Run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (vae.Options(published=True), "--published: needs --data mnist"),
        (vae.Options(importance_samples=5), "--importance-samples: needs --published"),
        (priors.Options(published=True), "--published: needs --data mnist"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: vae.Options | priors.Options, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        options.check()


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pixels in MNIST's place."""
    x = (RandomStream(0).uniform((120, 1, 28, 28), np.float32) < 0.2).astype(np.float32)
    none = np.zeros(len(x), np.int64)
    monkeypatch.setattr(_lesson, "images", lambda options: Images("noise", x, none, x, none, 2))


@pytest.mark.host_only
@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("samples", [1, 5])
def test_the_table_says_which_bound_was_raised(
    samples: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = vae.Options(
        data="mnist", published=True, quick=True, steps=2, lr=1e-3, importance_samples=samples
    )
    found = _published.lesson(options, Run("vae", root=tmp_path))
    assert float(found["-log p(x)"].split()[0]) < 784
    assert f"this run, k = {samples}, 2 steps (50 samples, 100 test images)" in capsys.readouterr().out


@pytest.mark.host_only
@pytest.mark.usefixtures("noise")
def test_priors_are_compared_on_the_same_pixels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = priors.Options(data="mnist", published=True, quick=True, steps=2)
    found = _published_priors.lesson(options, Run("priors", root=tmp_path))
    gain = found["N(0, I)"] - found["VampPrior"]
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[-2:] == ["2.99", f"{gain:.2f}"]
    assert all(0 < nats < 784 for nats in found.values())
