"""The loop that adds two shares of one argument."""

from __future__ import annotations

from . import elementwise

added = elementwise.add
