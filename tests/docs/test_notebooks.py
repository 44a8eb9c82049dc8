"""Chapters and demos as notebooks: the code of the page, what it showed, and no markup of the book."""

from __future__ import annotations

import ast
import base64
import json
import re
from pathlib import Path
from typing import Any

import blocks
import equations
import gallery
import lessons
import notebooks
import numpy as np
import pytest

from scratchgen import plots
from scratchgen.training import Run

pytestmark = pytest.mark.host_only

CHAPTERS = equations.chapters()
TINY = """# A chapter

By {doc}`vae` and {eq}`kl-standard-normal`, $x$ is small.

```{math}
:label: of-no-chapter
x = 1
```

```python
x = 1
print("x is", x)
```

```{drawing} line
:alt: A line
It is straight.
```

:::{dropdown} Answer
```python
from matplotlib.figure import Figure

figure = Figure(figsize=(1, 1))
figure.add_axes((0, 0, 1, 1)).plot([0, x])
figure
```
:::

```python
x + 1
```
"""


def valid(made: dict[str, Any]) -> None:
    """What the format 4.5 asks of a notebook."""
    assert made.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in made["cells"]]
    assert len(set(names)) == len(names)
    for cell in made["cells"]:
        assert re.fullmatch("[a-zA-Z0-9-]{1,64}", cell["id"])
        needed = {"id", "cell_type", "metadata", "source"}
        if cell["cell_type"] == "code":
            assert cell.keys() == needed | {"execution_count", "outputs"}
            for output in cell["outputs"]:
                fields = {
                    "stream": {"name", "text"},
                    "execute_result": {"execution_count", "data", "metadata"},
                }
                assert output.keys() == {"output_type"} | fields[output["output_type"]]
        else:
            assert cell["cell_type"] == "markdown"
            assert cell.keys() - {"attachments"} == needed
        assert all(isinstance(line, str) for line in cell["source"])
    json.dumps(made)


def sources(made: dict[str, Any], kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == kind]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    chapter = tmp_path / "tiny.md"
    chapter.write_text(TINY, encoding="utf-8")
    return chapter


def test_a_notebook_has_the_outputs_of_its_code(tiny: Path) -> None:
    made = notebooks.notebook(tiny, blocks.run(str(tiny)), {"line": "<svg/>"})
    valid(made)
    start, printed, drawn, value = (cell for cell in made["cells"] if cell["cell_type"] == "code")
    assert start["outputs"] == []
    assert printed["outputs"] == [{"output_type": "stream", "name": "stdout", "text": ["x is 1\n"]}]
    assert base64.b64decode(drawn["outputs"][0]["data"]["image/png"]).startswith(b"\x89PNG")
    assert value["outputs"][0]["data"] == {"text/plain": ["2"]}
    assert [cell["execution_count"] for cell in (start, printed, drawn, value)] == [1, 2, 3, 4]


def test_its_prose_is_plain_markdown(tiny: Path) -> None:
    made = notebooks.notebook(tiny, blocks.run(str(tiny)), {"line": "<svg/>"})
    prose = "\n".join(sources(made, "markdown"))
    assert prose.startswith("# A chapter")
    assert "By “Variational autoencoders” and (kl-standard-normal), $x$ is small." in prose
    assert "$$\nx = 1 \\tag{of-no-chapter}\n$$" in prose
    assert "![A line](attachment:line.svg)\n\n*It is straight.*" in prose
    assert "**Answer.**" in prose
    assert ":::" not in prose
    assert "```" not in prose
    (attached,) = (cell["attachments"] for cell in made["cells"] if "attachments" in cell)
    assert base64.b64decode(attached["line.svg"]["image/svg+xml"]) == b"<svg/>"


@pytest.mark.skipif(not CHAPTERS, reason="the book is not beside the tests")
@pytest.mark.parametrize("name", ["engine", "uses"])
def test_the_notebook_of_a_chapter_runs_from_top_to_bottom(name: str) -> None:
    (chapter,) = (file for file in CHAPTERS if file.stem == name)
    nothing = [blocks.Shown()] * len(blocks.BLOCK.findall(chapter.read_text(encoding="utf-8")))
    made = notebooks.notebook(chapter, nothing, {})
    valid(made)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for source in sources(made, "code"):
        exec(source, namespace)
    assert "sg" in namespace


@pytest.mark.skipif(not CHAPTERS, reason="the book is not beside the tests")
def test_every_chapter_is_a_notebook_without_the_book_s_markup() -> None:
    for chapter in CHAPTERS:
        text = chapter.read_text(encoding="utf-8")
        made = notebooks.notebook(chapter, [blocks.Shown()] * len(blocks.BLOCK.findall(text)), {})
        valid(made)
        for source in sources(made, "code"):
            ast.parse(source)
        prose = "\n".join(sources(made, "markdown"))
        for markup in (r"^:{3}", r"\{(eq|doc|source|test|drawing|explorable|dropdown|math)\}", r"^:\w+: "):
            assert not re.search(markup, prose, re.MULTILINE), f"{chapter.stem}: {markup}"


def test_what_fails_is_told_and_not_kept(tmp_path: Path) -> None:
    chapter = tmp_path / "wrong.md"
    chapter.write_text("# Wrong\n\n```python\n1 / 0\n```\n", encoding="utf-8")
    assert "ZeroDivisionError" in blocks.keep(str(chapter), str(tmp_path / "kept.json"))
    assert list(tmp_path.iterdir()) == [chapter]
    chapter.write_text("# Right\n\n```python\nprint(1)\n```\n", encoding="utf-8")
    assert blocks.keep(str(chapter), str(tmp_path / "kept.json")) == ""
    assert blocks.kept(tmp_path / "kept.json") == [blocks.Shown("1\n")]


DEMO = '"""A demo: what it is."""\n\n# %% One cell\nx = 1\n\n\nif __name__ == "__main__":\n    main()\n'


def test_a_demo_s_notebook_shows_the_run_that_it_names() -> None:
    made = gallery.Run("python3 demos demo --seed 1", [lessons.Picture("Samples", "png", b"png")], "")
    found = gallery.notebook("demo", gallery.cells(DEMO), made)
    valid(found)
    code = [cell for cell in found["cells"] if cell["cell_type"] == "code"]
    assert "".join(code[-1]["source"]).endswith("main(['--seed', '1'])")
    assert found["cells"][-1]["attachments"] == {"demo-0": {"image/png": base64.b64encode(b"png").decode()}}


@pytest.mark.skipif(not CHAPTERS, reason="the book is not beside the tests")
def test_the_book_shows_a_full_run_of_every_lesson() -> None:
    names = {file.stem for file in (equations.ROOT / "demos").glob("[!_]*.py")}
    assert {name for name in names if lessons.recorded(name) is None} == set()
    assert gallery.unseen("vae").pictures == []  # rather than those of a run of a few steps


@pytest.mark.skipif(not CHAPTERS, reason="the book is not beside the tests")
def test_a_recorded_lesson_says_how_it_was_made() -> None:
    for record in lessons.RECORDS.glob("*.json"):
        entry = lessons.recorded(record.stem)
        assert entry is not None
        words = entry["command"].split()
        assert words[:3] == ["python3", "demos", record.stem]
        assert "--quick" not in words
        assert (equations.ROOT / "demos" / f"{record.stem}.py").exists()
        assert re.fullmatch("[0-9a-f]{7,}", entry["commit"])
        assert entry["pictures"]
        for picture in entry["pictures"]:
            for file in (picture["file"], picture.get("dark", picture["file"])):
                assert (lessons.RECORDS / file).stat().st_size < 500_000


def test_every_picture_of_a_report_is_found(tmp_path: Path) -> None:
    chart = plots.curves([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])
    tiles = plots.image_grid(np.zeros((4, 1, 8, 8)))
    moving = plots.animation([np.zeros((1, 8, 8)), np.ones((1, 8, 8))], tmp_path / "moving.gif")
    run = Run("vae", root=tmp_path)
    run.section("All & more", pictures={"a chart": chart, "tiles": tiles, "an animation": moving})
    found = lessons.figures(run.write_report("Pictures"))
    assert [(one.caption, one.kind, one.chart, one.dark is not None) for one in found] == [
        ("a chart", "png", True, True),
        ("tiles", "png", False, False),
        ("an animation", "gif", False, False),
    ]
    assert found[0].dark != found[0].content
    assert {one.section for one in found} == {"All & more"}


def test_a_picture_stands_below_its_caption_and_a_chart_for_dark_pages_too() -> None:
    plain = "\n".join(gallery.shown("demo-0.png", lessons.Picture("Tiles", "png", b"")))
    assert plain.startswith("Tiles:\n\n\n```{image} demo-0.png\n:alt: Tiles\n:class: run")
    assert "chart" not in plain
    both = "\n".join(gallery.shown("demo-1.png", lessons.Picture("Loss", "png", b"light", True, b"dark")))
    assert "{container} chart" in both
    assert "```{image} demo-1.png\n:alt: Loss\n:class: run only-light" in both
    assert "```{image} demo-1-dark.png\n:alt: Loss\n:class: run only-dark" in both
