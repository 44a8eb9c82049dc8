"""What the book's own extensions do: formulas, dark pictures, pages of demos, the last look at the site."""

from __future__ import annotations

import re
from pathlib import Path

import drawings
import gallery
import mathematics
import offline
import plain
import pytest
import sources

pytestmark = pytest.mark.host_only


def test_formulas_become_mathml_with_the_letters_of_their_alphabet() -> None:
    markup = mathematics.mathml(r"\mathbb{E}_q \log p = -\mathbf{x}", True)
    assert markup.startswith("<math ")
    assert 'display="block"' in markup
    assert "𝔼" in markup
    assert "𝐱" in markup
    assert "mathvariant" not in markup.replace('mathvariant="normal"', "")
    assert "mspace" in markup  # between log and p
    assert 'form="prefix"' in markup  # of the minus after the equals sign


def test_lines_are_aligned() -> None:
    markup = mathematics.mathml("a &= b \\\\ &= c", True)
    assert 'class="aligned"' in markup
    assert 'class="right"' in markup


def test_bars_grow_with_what_they_hold() -> None:
    assert mathematics.mathml(r"\left| \frac{a}{b} \right|", True).count('stretchy="true"') == 2
    assert "stretchy" not in mathematics.mathml(r"a \mid b", True)


def test_a_formula_that_is_none_is_an_error() -> None:
    with pytest.raises(mathematics.MathematicsError, match="Undefined control sequence"):
        mathematics.mathml(r"\nosuchthing", False)
    assert "<mi>x</mi>" in mathematics.mathml("x", False)  # and the next one is rendered all the same


def test_dark_pictures_turn_greys_over_and_keep_colours() -> None:
    light = '<svg a="1"><path style="fill: #ffffff; stroke: #000"/><path style="fill: #3f90da"/></svg>'
    dark = drawings.dark(light)
    assert "#ffffff" not in dark
    assert "#e1e1e1" in dark
    assert "#3f90da" in dark


def test_a_drawing_has_its_size_in_pixels() -> None:
    svg = '<?xml?>\n<svg fill="#e1e1e1" xmlns:x="y" width="75pt" height="30.1pt" viewBox="0 0 1 1">'
    assert drawings.pixels(svg) == ' width="100" height="40"'
    assert drawings.pixels("<svg>") == ""


def test_lines_of_sources_are_found_by_name() -> None:
    assert sources.line_of("scratchgen/models/vae/model.py", "VAE.elbo") > sources.line_of(
        "scratchgen/models/vae/model.py", "VAE"
    )
    with pytest.raises(LookupError, match=r"nothing there is named VAE\.nothing"):
        sources.line_of("scratchgen/models/vae/model.py", "VAE.nothing")
    with pytest.raises(LookupError, match="there is no such file"):
        sources.line_of("scratchgen/nothing.py", "x")


DEMO = '''"""A demo: what it is.

Prose with p(x).
"""

# %% Settings: one line
import math

# %% [markdown]
# ## A heading
# And a text.
def f():
    return math.pi


if __name__ == "__main__":
    main()
'''


def test_a_demo_is_cells_of_prose_and_code() -> None:
    found = [(cell.kind, cell.text) for cell in gallery.cells(DEMO)]
    assert found[:4] == [
        ("markdown", "# A demo: what it is\n\nProse with p(x)."),
        ("markdown", "Settings: one line"),
        ("code", "import math"),
        ("markdown", "## A heading\nAnd a text."),
    ]
    assert found[4][1].startswith("def f():")


def test_formulas_of_docstrings_are_typeset() -> None:
    assert plain.latex("max_D  E log D(x) + E_q(z) h(z) - |x_(d-1)|^2, summed over pixels.") == (
        r"\max_{D} \mathbb{E} \log D(x) + \mathbb{E}_{q(z)} h(z) - |x_{d-1}|^2\text{, summed over pixels.}"
    )
    assert plain.latex("P_data(x) >= sqrt(beta_t),   on average minus") == (
        r"P_{\text{data}}(x) \ge \sqrt{\beta_{t}}, \quad \text{on average minus}"
    )
    lessons = sorted((gallery.ROOT / "demos").glob("[!_]*.py"))
    pages = [gallery.typeset(gallery.cells(file.read_text(encoding="utf-8"))[0].text) for file in lessons]
    found = [latex for page in pages for latex in re.findall(r"```\{math\}\n(.*?)\n```", page)]
    assert len(found) >= 15
    for latex in found:
        assert mathematics.mathml(latex, True)


def test_a_notebook_calls_main_without_the_command_line() -> None:
    made = gallery.notebook("demo", gallery.cells(DEMO), gallery.Run("python3 demos demo", [], ""))
    code = ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code"]
    namespace: dict = {"main": lambda argv: None}
    for source in code:
        exec(source, namespace)
    assert "main([])" in code[-1]
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])


def test_the_last_look_finds_dead_links_and_what_is_loaded_from_outside(tmp_path: Path) -> None:
    good = '<p id="here"><a href="#here">x</a><a href="https://example.org">x</a><img src="a.svg"></p>'
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path / "good.html").write_text(good)
    assert list(offline.faults(tmp_path)) == []
    bad = (
        '<p id="twice">x</p><p id="twice">x</p>'
        '<a href="none.html">x</a><a href="good.html#there">x</a><script src="https://example.org/x.js"></script>'
        '<link rel="stylesheet" href="//example.org/x.css"><code class="katex-error">x</code>'
    )
    (tmp_path / "bad.html").write_text(bad)
    (tmp_path / "a.css").write_text(
        '@import "https://example.org/x.css"; p { background: url(//example.org/x.png) }'
    )
    found = "\n".join(offline.faults(tmp_path))
    assert "bad.html: the link to none.html is dead: there is no such file" in found
    assert "bad.html: the link to good.html#there is dead: the page has no such place" in found
    assert "bad.html: two elements have the id twice" in found
    assert "bad.html: <script> loads https://example.org/x.js" in found
    assert "bad.html: <link> loads //example.org/x.css" in found
    assert "bad.html: holds an error message" in found
    assert "a.css: loads https://example.org/x.css" in found
    assert "a.css: loads //example.org/x.png" in found
