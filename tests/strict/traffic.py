"""Count what crosses between host and device: on a GPU every crossing costs, and most of them wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Traffic:
    """What crossed while a `host_synchronisations` context was open.

    Attributes
    ----------
    synchronisations : int
        How often the host had to wait for the device: ``float(x)``, ``if x``, ``x.item()``, ``x.get()``, and
        results whose shape depends on values, such as ``x[mask]``.
    uploads : int
        How often host memory was copied to the device, index lists and NumPy index arrays included.
    """

    synchronisations: int = 0
    uploads: int = 0


_open: list[Traffic] = []


@contextmanager
def host_synchronisations() -> Iterator[Traffic]:
    """Count the traffic of StrictArrays within this context; contexts nest.

    Examples
    --------
    >>> with host_synchronisations() as traffic:
    ...     total = float(upload(np.ones(3)).sum())
    >>> traffic
    Traffic(synchronisations=1, uploads=1)
    """
    traffic = Traffic()
    _open.append(traffic)
    try:
        yield traffic
    finally:
        _open[:] = [other for other in _open if other is not traffic]


def synchronise() -> None:
    """Record that the host waits for the device."""
    for traffic in _open:
        traffic.synchronisations += 1


def uploaded() -> None:
    """Record a copy from the host to the device."""
    for traffic in _open:
        traffic.uploads += 1
