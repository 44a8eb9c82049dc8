"""SGD beside the equations of its docstring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

from scratchgen.optim import SGD


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_steps(momentum: float, nesterov: bool, weight_decay: float, follow: Callable[..., None]) -> None:
    def twin(x: Any, g: Any, t: int, memory: dict[str, Any]) -> Any:
        g = g + weight_decay * x
        v = memory["v"] = momentum * memory["v"] + g if t > 1 else g
        return x - 0.1 * (g + momentum * v if nesterov else v)

    follow(lambda params: SGD(params, 0.1, momentum, weight_decay, nesterov), twin)


def test_on_a_parabola_it_is_a_geometric_series(make_parameters: Any) -> None:
    (x,) = make_parameters()[:1]
    start = x.numpy().copy()
    optimiser = SGD([x], lr=0.1)
    for _ in range(20):
        optimiser.zero_grad()
        (x * x).sum().backward()
        optimiser.step()
    assert_close(x, start * 0.8**20, rtol=1e-12)


def test_errors(make_parameters: Any) -> None:
    params = make_parameters()
    for options, message in (
        ({"lr": -0.1}, r"lr: got -0.1, expected a number in \[0, inf\)"),
        ({"lr": np.nan}, "lr: got nan"),
        ({"lr": np.inf}, "lr: got inf"),
        ({"momentum": 1.0}, r"momentum: got 1.0, expected a number in \[0, 1\)"),
        ({"weight_decay": -1}, "weight_decay: got -1"),
        ({"nesterov": True}, "nesterov: needs a positive momentum, got momentum 0"),
    ):
        with pytest.raises(ValueError, match=message):
            SGD(params, **options)
    with pytest.raises(ValueError, match="lr: got 'fast', expected"):
        SGD(params, lr="fast")
