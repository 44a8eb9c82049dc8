"""Every test runs on one device: NumPy, a strict stand-in for CuPy, or CuPy (`--device cpu|strict|cuda`)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# So that tests of every folder find `tools` and `strict`, from any directory and beside an installed wheel.
sys.path.insert(0, str(Path(__file__).parent))

import ledger
import measurements
from strict import strict_device

from scratchgen.backend import device

device.makers["strict"] = strict_device

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        choices=("cpu", "strict", "cuda"),
        default="cpu",
        help="where the tests compute: NumPy, the strict stand-in for CuPy, or CuPy on a GPU",
    )
    parser.addoption(
        "--ledger",
        action="store_true",
        help="run only the tests that verify an equation, and print what each of them measured",
    )
    parser.addoption("--ledger-file", metavar="FILE", help="write these measurements to a file too, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    # Files of one name in several folders need it, also where the tests lie without pyproject.toml.
    config.option.importmode = "importlib"
    config.addinivalue_line("markers", "equation(label): verifies the numbered equation of that label")
    config.addinivalue_line("markers", "host_only: computes on the host only, and is left out on a device")
    try:
        device.get_device(config.getoption("--device"))
    except RuntimeError as error:
        raise pytest.UsageError(str(error)) from error
    # Where a shell started the tests in the background, Ctrl-C is ignored, and some tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    measurements.record_gradient_checks()
    if config.getoption("--ledger"):
        config.pluginmanager.register(ledger.Ledger(config.getoption("--ledger-file")), "ledger")


def pytest_report_header(config: pytest.Config) -> str:
    return f"device: {config.getoption('--device')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") != "cpu":
        left_out = [item for item in items if item.get_closest_marker("host_only")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _on_device(request: pytest.FixtureRequest) -> Iterator[None]:
    device.use_device(request.config.getoption("--device"))
    measurements.begin()
    yield
    device.use_device("cpu")
