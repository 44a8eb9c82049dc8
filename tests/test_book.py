"""The Python in the book does what the book says: each chapter's blocks run in order, in one namespace."""

from __future__ import annotations

import re

import equations
import pytest

pytestmark = pytest.mark.host_only

BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})python\n(?P<code>.*?)^ *(?P=fence)\s*$", re.MULTILINE | re.DOTALL
)
CHAPTERS = equations.chapters()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[chapter.stem for chapter in CHAPTERS])
def test_code_of_the_chapter(chapter):
    text = chapter.read_text(encoding="utf-8")
    namespace = {"__name__": chapter.stem}
    for block in BLOCK.finditer(text):
        # Empty lines before the code, so that an error names the line of the chapter.
        start = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * start + block["code"], str(chapter), "exec"), namespace)


@pytest.mark.skipif(not CHAPTERS, reason="the book is not beside the tests")
def test_every_chapter_has_exercises_whose_answers_run():
    for chapter in CHAPTERS:
        text = chapter.read_text(encoding="utf-8")
        assert "{dropdown} Answer" in text
        assert len(BLOCK.findall(text)) == len(re.findall(r"^ *`{3,}python$", text, re.MULTILINE)) > 0
