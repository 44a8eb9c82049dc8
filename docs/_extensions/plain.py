"""Formulas as docstrings have them, one on a line, made LaTeX for the pages of demos."""

from __future__ import annotations

import re

GREEK = ("alpha", "beta", "delta", "epsilon", "sigma", "theta", "xi")
NAMES = {"eps": r"\epsilon", "KL": r"\mathrm{KL}", "ELBO": r"\mathrm{ELBO}", "N": r"\mathcal{N}"}
NAMES |= {name: rf"\{name}" for name in (*GREEK, "log", "exp", "max", "min", "sum", "sqrt")}
SIGNS = {">=": r"\ge", "<=": r"\le", "||": r"\,\|\,", "~": r"\sim", "..": r"\ldots"}

WORDS = re.compile(r"[A-Za-z']+[ ,][A-Za-z', ]*[.,:]?")
TAIL = re.compile(r", (?=[a-z]{3,} [a-z]+ )")
TOKEN = re.compile(
    r"(?P<name>[A-Za-z]+)(?P<bar>_bar)?(?:_(?P<below>[A-Za-z0-9]+|\([^()]*\)))?(?P<of>\([^()]*\))?"
    r"|(?P<sign>>=|<=|\|\||~|\.\.)|(?P<other>.)"
)


def latex(line: str) -> str:
    r"""A formula of one line; what three spaces or more part stands apart, and words stay words.

    Examples
    --------
    >>> latex("x_t  =  sqrt(alpha_bar_t) x_0,    eps ~ N(0, I)")
    'x_{t} = \\sqrt{\\bar{\\alpha}_{t}} x_{0}, \\quad \\epsilon \\sim \\mathcal{N}(0, I)'
    """
    head, *words = TAIL.split(line.strip(), maxsplit=1)
    parts = [text(part) if WORDS.fullmatch(part) else formula(part) for part in re.split(r" {3,}", head)]
    return r" \quad ".join(parts) + "".join(rf"\text{{, {word}}}" for word in words)


def text(words: str) -> str:
    """Words within a formula."""
    return rf"\text{{{words}}}"


def formula(part: str) -> str:
    """A part without words."""
    return re.sub(r" +", " ", TOKEN.sub(symbol, part))


def symbol(found: re.Match[str]) -> str:
    """What a token stands for: a name with what is below and behind it, or a sign."""
    if found["name"] is None:
        return SIGNS.get(found["sign"], found["sign"] or found["other"])
    name, below, behind = found["name"], found["below"], formula(found["of"] or "")
    is_mean = name == "E"
    shown = r"\mathbb{E}" if is_mean else named(name, function=bool(behind) or name != "N")
    if found["bar"]:
        shown = rf"\bar{{{shown}}}"
    if name == "sqrt":
        return rf"{shown}{{{behind[1:-1]}}}"
    if below:
        below = formula(below.strip("()")) if below.startswith("(") else named(below)
        shown += f"_{{{below}{behind}}}" if is_mean else f"_{{{below}}}"
    return shown + ("" if is_mean and below else behind)


def named(name: str, function: bool = True) -> str:
    """A letter, a name of mathematics, or a word."""
    return (NAMES.get(name) if function else None) or (name if len(name) == 1 else text(name))
