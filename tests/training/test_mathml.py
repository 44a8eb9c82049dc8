"""The formulas of pages: what is understood, what is not, and that those of all lessons are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scratchgen.training.mathml import FormulaError, mathml

pytestmark = pytest.mark.host_only


@pytest.mark.parametrize(
    ("latex", "inside"),
    [
        ("x_d^2", "<msubsup><mi>x</mi><mi>d</mi><mn>2</mn></msubsup>"),
        ("x^2_d", "<msubsup><mi>x</mi><mi>d</mi><mn>2</mn></msubsup>"),
        (r"\sum_d x", "<munder><mo>∑</mo><mi>d</mi></munder>"),
        (r"\mathbb{E}_{q} z", "<msub><mi>𝔼</mi><mi>q</mi></msub>"),
        (r"\bar{\alpha}_t", '<mover accent="true"><mi>α</mi><mo>¯</mo></mover>'),
        (r"\text{if } 1 < 2", "<mtext>if\N{NO-BREAK SPACE}</mtext><mn>1</mn><mo>&lt;</mo>"),
        (r"\left\| x \right\}", "<mrow><mo>∥</mo><mi>x</mi><mo>}</mo></mrow>"),
        (r"a &= b \\ &= c", '<mtd class="column-1"><mrow><mo>=</mo><mi>c</mi></mrow></mtd>'),
        ("u''_t", "<msubsup><mi>u</mi><mi>t</mi><mrow><mo>′</mo><mo>′</mo></mrow></msubsup>"),
        (r"-1.5", "<mo>−</mo><mn>1.5</mn>"),
    ],
)
def test_what_is_understood(latex: str, inside: str) -> None:
    markup = mathml(latex)
    ElementTree.fromstring(markup)
    assert inside in markup


@pytest.mark.parametrize(
    "latex", [r"\nothing", "_x", "{x", r"\left( x", "x}", r"\mathbb{Q}", r"\frac{1}", "x^"]
)
def test_what_is_not(latex: str) -> None:
    with pytest.raises(FormulaError, match="formula: got"):
        mathml(latex)


DEMOS = Path(__file__).parents[2] / "demos"


def texts(file: Path) -> Iterator[str]:
    """What a lesson says: its strings, but for its docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_those_of_all_lessons_are_understood() -> None:
    """And none stands on a page as it is typed."""
    pages, found = sorted(DEMOS.glob("_*page*.py")), []
    for text in chain.from_iterable(map(texts, [*pages, *DEMOS.glob("[!_]*.py")])):
        found += re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
        assert not re.search(r"^ {4}\S.* [<>]?=  ", text, re.MULTILINE), text
    assert len(found) >= 20
    for latex in found:
        ElementTree.fromstring(mathml(latex))
