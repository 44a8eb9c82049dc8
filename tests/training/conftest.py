"""A training small enough to be repeated at every step: a line with dropout, Adam and an average."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.training import CheckpointError, load_checkpoint, save_checkpoint


@dataclass
class Line:
    """A model, its loss, and all that changes while it is trained."""

    model: nn.Module = field(default_factory=lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)))
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.initialise(RandomStream(0, "weights"))
        self.optimiser = optim.Adam(self.model.parameters(), lr=0.01)
        self.average = optim.ExponentialMovingAverage(self.model.parameters(), decay=0.9)

    def loss(self, batch: Any, rng: RandomStream) -> dict[str, Any]:
        self.seen.append(tuple(sg.asnumpy(batch)[:, 0].astype(int).tolist()))
        noisy = batch + 0.1 * rng.normal(batch.shape)
        error = ((self.model(noisy) - batch.sum(axis=1, keepdims=True)) ** 2).mean()
        return {"loss": error, "doubled": error * 2}

    def parts(self) -> dict[str, Any]:
        return {"model": self.model, "optimiser": self.optimiser, "average": self.average}

    def state(self) -> dict[str, Any]:
        """A copy of everything that a checkpoint holds, as bytes where it is an array."""
        return {
            f"{part}/{name}": leaf.tobytes() if hasattr(leaf, "tobytes") else leaf
            for part, stateful in self.parts().items()
            for name, leaf in stateful.state_dict().items()
        }


@pytest.fixture
def new_line() -> Callable[[], Line]:
    return Line


@pytest.fixture
def line(new_line: Callable[[], Line]) -> Line:
    return new_line()


@pytest.fixture
def data() -> Any:
    """Ten examples whose first number tells which one it is."""
    x = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    x[:, 0] = np.arange(10)
    return sg.asarray(x)


@pytest.fixture
def path(tmp_path: Path, line: Line, data: Any) -> Path:
    """A checkpoint after a step, so that no state is at its initial value."""
    _take_step(line, data)
    return save_checkpoint(
        tmp_path / "checkpoint.npz", step=1, configuration={"lr": 0.01, "layers": [3, 4]}, **line.parts()
    )


def _take_step(line: Line, data: Any) -> None:
    line.optimiser.zero_grad()
    line.loss(data, RandomStream(0))["loss"].backward()
    line.optimiser.step()
    line.average.update()


@pytest.fixture
def refused() -> Callable[..., str]:
    return _refused


def _refused(path: Path, line: Line, *fragments: str) -> str:
    """Assert that the file is refused for the right reason, and that nothing was changed by it."""
    before = line.state()
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path, **line.parts())
    message = str(error.value)
    assert message.startswith(str(path))
    for fragment in fragments:
        assert fragment in message
    assert line.state() == before
    return message
