"""What the tests of layers share: a check of derivatives by the input and by every parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.nn import Module


@pytest.fixture
def check_layer() -> Callable[..., float]:
    """``check_layer(layer, x, order)``: its derivatives in float64, each parameter at its present value."""

    def check(layer: Module, x: Any, order: int = 2) -> float:
        layer.to(np.float64)
        owned = dict(layer.named_parameters())

        def function(x: Any, *parameters: Any) -> Any:
            for name, parameter in zip(owned, parameters, strict=True):
                setattr(layer, name, parameter)
            return layer(x)

        return check_gradients(function, x, *(sg.asnumpy(p) for p in owned.values()), order=order)

    return check
