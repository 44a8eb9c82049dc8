"""How explorables are tested: their mathematics in Node, what they do in a browser without a window."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scratchgen.plots.explorables import Explorable
from scratchgen.plots.explorables.figure import FOLDER
from scratchgen.training import Run

NODE = shutil.which("node")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def in_node(name: str, program: str, **given: Any) -> Any:
    """What a program says that has the explorable's functions as `it`, and what is given as `given`."""
    if NODE is None:
        pytest.skip("there is no Node to run the page's mathematics")
    scripts = [json.dumps(str(FOLDER / f"{file}.js")) for file in ("kit", name)]
    head = "".join(f"require({script});" for script in scripts)
    parts = f"const it = globalThis.explorables.{name}; const kit = globalThis.explorables.kit;"
    read = 'const given = JSON.parse(require("fs").readFileSync(0));'
    ran = subprocess.run(
        [NODE, "-e", f"{head}{parts}{read}{program}"],
        input=json.dumps(given), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def page(folder: Path, figures: Sequence[Explorable]) -> str:
    """The HTML of a run with explorables."""
    run = Run("vae", root=folder)
    run.section("To be played with", explorables=figures)
    return run.write_report().read_text(encoding="utf-8")


HARNESS = """
window.requestAnimationFrame = (frame) => setTimeout(frame, 5); // a browser without a window draws seldom
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
/** What a test does in the page of one explorable. */
const hands = (root) => ({
  root,
  all: (what) => [...root.querySelectorAll(what)],
  words: (what) => root.querySelector(what).textContent,
  touch(canvas, ...places) {
    const box = canvas.getBoundingClientRect();
    places.forEach(([x, y], i) => {
      const type = i === 0 ? "pointerdown" : "pointermove";
      const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true };
      canvas.dispatchEvent(new PointerEvent(type, { ...place, pointerId: 1, pointerType: "touch" }));
    });
    canvas.dispatchEvent(new PointerEvent("pointerup", { pointerId: 1, bubbles: true }));
  },
  hover(canvas, x, y) {
    const box = canvas.getBoundingClientRect();
    const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
    canvas.dispatchEvent(new PointerEvent("pointermove", { ...place, bubbles: true }));
  },
  key: (canvas, key, more = {}) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, ...more })),
  slide(input, value) { input.value = value; input.dispatchEvent(new Event("input")); },
  press(words) { [...root.querySelectorAll("button")].find((one) => one.textContent === words).click(); },
  /** How many colours a canvas shows: 1 if nothing was drawn. */
  colours(canvas) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  },
});
addEventListener("load", async () => {
  const result = { faults: [], seen: {} };
  addEventListener("error", (event) => result.faults.push(event.message));
  await wait(100);
  for (const [name, play] of Object.entries(plays)) {
    try {
      result.seen[name] = await play(hands(document.querySelector(`[data-explorable="${name}"]`)));
    } catch (error) { result.faults.push(`${name}: ${error.stack}`); }
  }
  const canvases = [...document.querySelectorAll("canvas")];
  result.drawn = canvases.map((one) => hands(one).colours(one));
  result.named = canvases.map((one) => one.getAttribute("aria-label"));
  result.wide = document.body.scrollWidth;
  result.small = [...document.querySelectorAll("button, input[type=range]")]
    .filter((one) => one.getBoundingClientRect().height < 36).map((one) => one.outerHTML);
  const pre = document.createElement("pre");
  pre.id = "result";
  pre.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(result))));
  document.body.append(pre);
});
"""


def play(folder: Path, figures: Sequence[Explorable], plays: dict[str, str]) -> dict[str, Any]:
    """What happens in a browser: `plays` has for each explorable the body of a function of its `hands`."""
    if BROWSER is None:
        pytest.skip("there is no Chromium to play with the page")
    functions = ",".join(f"{name}: async (it) => {{{body}}}" for name, body in plays.items())
    script = f"const plays = {{{functions}}};{HARNESS}"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    html = page(folder, figures).replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    html = html.replace("</body>", f"<script>{script}</script></body>")
    (folder / "page.html").write_text(html, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900"]
    command += [f"--user-data-dir={folder}/profile", "--virtual-time-budget=6000", "--dump-dom"]
    ran = subprocess.run(
        [*command, (folder / "page.html").as_uri()], capture_output=True, text=True, timeout=120,
        env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    found = re.search(r'<pre id="result">(.*?)</pre>', ran.stdout, re.DOTALL)
    assert found, ran.stderr[-2000:]
    return dict(json.loads(base64.b64decode(found[1])))
