"""Progress: a bar for people, few lines for files."""

from __future__ import annotations

import io

import pytest

from scratchgen.training import progress
from scratchgen.training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_file_gets_a_line_every_ten_seconds_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    monkeypatch.setattr(progress, "_memory", lambda: ", 310 MB")
    file = io.StringIO()
    with Progress(0, 1000, file) as shown:
        for step in range(1000):
            now += 0.03125
            shown.show({"loss": 100 / (step + 1), "kl": 2.0})
            shown.advance()
    assert file.getvalue().splitlines() == [
        "step 5 of 1,000 (0 %), loss 20, kl 2, 0:00 elapsed, 0:31 left, 32 steps/s, 310 MB",
        "step 325 of 1,000 (32 %), loss 0.3077, kl 2, 0:10 elapsed, 0:21 left, 32 steps/s, 310 MB",
        "step 645 of 1,000 (64 %), loss 0.155, kl 2, 0:20 elapsed, 0:11 left, 32 steps/s, 310 MB",
        "step 965 of 1,000 (96 %), loss 0.1036, kl 2, 0:30 elapsed, 0:01 left, 32 steps/s, 310 MB",
        "step 1,000 of 1,000 (100 %), loss 0.1, kl 2, 0:31 elapsed",
    ]


def test_time_left_counts_only_the_steps_of_this_session(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    file = io.StringIO()
    with Progress(900, 1000, file) as shown:
        for _ in range(50):
            now += 1.0
            shown.advance()
    last = "step 945 of 1,000 (94 %), 0:45 elapsed, 0:55 left, 1 steps/s"
    assert file.getvalue().splitlines()[-2].rpartition(", ")[0] == last


def test_the_forecast_is_not_about_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """In which loops may be compiled; and none is made of what is soon done."""
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    for steps, said in ((5005, "0:50 left, 100 steps/s"), (500, "")):
        now, file = 0.0, io.StringIO()
        with Progress(0, steps, file) as shown:
            now = 7.0
            shown.advance()
            for _ in range(4):
                now += 0.01
                shown.advance()
            assert said in file.getvalue()
            assert bool(said) == bool(file.getvalue())


def test_memory_is_told_in_megabytes() -> None:
    said = progress._memory()
    assert said == "" or 10 < float(said.removeprefix(", ").removesuffix(" MB").replace(",", "")) < 1e6


def test_a_terminal_gets_a_bar_with_the_terms() -> None:
    file = Terminal()
    with Progress(0, 4, file) as shown:
        for _ in range(4):
            shown.show({"loss": 98.347, "kl": 2.0})
            shown.advance()
    last = file.getvalue().strip().rpartition("\r")[2]
    assert last.startswith("100 %|")
    assert "4/4" in last
    assert "loss 98.35, kl 2" in last


def test_nothing_is_said_of_nothing() -> None:
    file = io.StringIO()
    with Progress(4, 4, file):
        pass
    assert file.getvalue() == ""
