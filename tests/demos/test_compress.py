"""The lesson on compression: files of every model beside those of programs, and with losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demos import _compress_others, compress
from scratchgen.training import Run

pytestmark = pytest.mark.host_only


def test_the_page_has_all_files_and_what_they_hold_is_what_went_in(tmp_path: Path) -> None:
    run = Run("compress", root=tmp_path)
    options = compress.Options(
        out=tmp_path, quick=True, steps=2, hidden_dim=8, latent_dim=2, channels=4, images=30
    )
    found = compress.lesson(options, run)
    assert list(found) == ["black and white", "17 levels"]
    assert all(coded.size > 0.9 * coded.bound for kind in found.values() for coded in kind.values())
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("NADE", "bits back", "gzip", "lzma", "WebP", "PNG", "bits against error", "bit for bit"):
        assert known.lower() in page.lower()


def test_a_finer_grid_costs_bits() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=(2000, 3)), rng.normal(size=(300, 3))
    coarse, fine = (
        _compress_others.coded_bits(
            np.rint(now / w).astype(int).clip(-40, 40), np.rint(before / w).astype(int)
        )
        for w in (0.5, 0.25)
    )
    assert 0.7 < (fine - coarse) / now.size < 1.3  # a bit for each number
