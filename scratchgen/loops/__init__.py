"""Floor 0: the compiled twins of formulas, a file for each file of formulas. Not needed to read.

`backend/compiled.py` says how a call comes here, `backend/threads.py` how a loop uses several threads. What
loops share with each other stands directly in this folder.
"""

from __future__ import annotations

from collections.abc import Callable


def compile_all(progress: Callable[[str], None] = lambda name: None) -> None:
    """Compile every loop for the arrays that models have, so that no training has to wait for it.

    Parameters
    ----------
    progress : callable
        Called with the name of each piece of work before it is done.
    """
    from . import examples

    for name, work in examples.works():
        progress(name)
        work()
