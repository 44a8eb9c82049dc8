"""What models of tables share: levels, smoothing, counts, and probabilities that are there after `fit`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import checks
from ...data.tables import Rows, check_rows, number_rows

Floats = NDArray[np.float64]


class TableModel:
    """A distribution of rows of levels; the models made of it say what the parameters mean."""

    _theta: Any = None

    def __init__(self, levels: Sequence[int], alpha: float = 0) -> None:
        self.levels = checks.sizes("levels", levels)
        self.alpha = checks.number("alpha", alpha, "[0, inf)")

    def __repr__(self) -> str:
        settings = (f"{name}={value}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(settings)})"

    @property
    def theta(self) -> Any:
        """The probabilities that `fit` estimated."""
        if self._theta is None:
            raise RuntimeError(f"{self!r} has no theta yet: call fit(rows) first")
        return self._theta

    def _checked(self, rows: Any) -> Rows:
        """Rows (n, attributes) to fit, n >= 1."""
        table = check_rows(rows, self.levels)
        if len(table) == 0:
            raise ValueError("rows: got none, expected at least one to fit")
        return table

    def _counts(self, rows: Any) -> NDArray[np.int64]:
        """How often each combination of levels was seen in rows (n, attributes), n >= 1: shape ``levels``."""
        numbers = number_rows(self._checked(rows), self.levels)
        return np.bincount(numbers, minlength=math.prod(self.levels)).reshape(self.levels)
