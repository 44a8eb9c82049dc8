"""The lesson on priors: every variant is trained and measured, and the page says what was seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demos import priors
from scratchgen.training import Run

pytestmark = pytest.mark.host_only


def test_the_page_has_every_variant_and_its_numbers(tmp_path: Path) -> None:
    run = Run("priors", root=tmp_path)
    options = priors.Options(out=tmp_path, quick=True, steps=2, hidden_dim=16, latent_dim=3, components=4)
    found = priors.lesson(options, run)
    assert set(found) == set(priors.VARIANTS)
    for it in found.values():
        assert np.isfinite([it.reconstruction, it.kl, it.nll]).all()
        assert 0 <= it.active <= 3
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("Three priors on digits", "posterior collapse", "VampPrior", "sigma per pixel", "3 nats"):
        assert known in page
