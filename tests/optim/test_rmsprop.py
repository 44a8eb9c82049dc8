"""RMSprop beside the equations of its docstring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scratchgen.optim import RMSprop


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("alpha", "eps"), [(0.99, 1e-8), (0.5, 0.1)])
def test_steps(
    alpha: float, eps: float, momentum: float, weight_decay: float, follow: Callable[..., None]
) -> None:
    def twin(x: Any, g: Any, t: int, memory: dict[str, Any]) -> Any:
        g = g + weight_decay * x
        v = memory["v"] = alpha * memory.get("v", 0) + (1 - alpha) * g**2
        u = memory["u"] = momentum * memory.get("u", 0) + g / (np.sqrt(v) + eps)
        return x - 0.02 * u

    follow(lambda params: RMSprop(params, 0.02, alpha, eps, weight_decay, momentum), twin)


def test_errors(make_parameters: Any) -> None:
    for options, message in (
        ({"alpha": 1.0}, r"alpha: got 1.0, expected a number in \[0, 1\)"),
        ({"eps": -1.0}, "eps: got -1.0"),
        ({"momentum": -0.5}, "momentum: got -0.5"),
        ({"weight_decay": -1}, "weight_decay: got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            RMSprop(make_parameters(), **options)
