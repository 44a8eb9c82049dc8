"""Every example in a docstring of the package does what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import scratchgen

pytestmark = pytest.mark.host_only

MODULES = [module.name for module in pkgutil.walk_packages(scratchgen.__path__, "scratchgen.")]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs=None, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_some_examples_are_found():
    finder = doctest.DocTestFinder()
    found = sum(bool(t.examples) for name in MODULES for t in finder.find(importlib.import_module(name)))
    assert found > 50
