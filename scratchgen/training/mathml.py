r"""Formulas as MathML, which browsers show without a script: the part of LaTeX that pages of runs need.

    expression  =  atom [_ atom] [^ atom] ...
    atom        =  letter | number | sign | {..} | \name | \name{..} | \frac{..}{..} | \left( .. \right)

Lines parted by ``\\``, columns by ``&``, become a table. What is none of these is an error, not a guess.
"""

from __future__ import annotations

import re
from html import escape

TOKEN = re.compile(r"\\text\{[^{}]*\}|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta lambda mu nu xi pi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Pi Sigma Phi Psi Omega ell partial nabla infty"
)
GREEK = dict(zip(NAMES.split(), "αβγδεζηθλμνξπρστφχψωΓΔΘΛΠΣΦΨΩℓ∂∇∞", strict=True))
FUNCTIONS = ("log", "exp", "sin", "cos", "max", "min", "det", "tr", "KL", "ELBO", "Var")
LARGE = {"sum": "∑", "prod": "∏", "int": "∫"}
SIGNS = {
    "cdot": "·", "times": "×", "ge": "≥", "geq": "≥", "le": "≤", "leq": "≤", "ne": "≠", "approx": "≈",
    "sim": "∼", "to": "→", "in": "∈", "mid": "∣", "|": "∥", "ldots": "…", "dots": "…", "cdots": "⋯",
    "odot": "⊙", "propto": "∝", "pm": "±", "{": "{", "}": "}", "lVert": "∥", "rVert": "∥",
    "equiv": "≡", "neq": "≠", "circ": "∘", "top": "⊤",
}  # fmt: skip
SPACES = {",": "0.17em", ";": "0.28em", "quad": "1em", "qquad": "2em", " ": "0.25em", "!": "-0.17em"}
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙"}
ALPHABETS = {"mathbb": {"E": "𝔼", "R": "ℝ", "P": "ℙ"}, "mathcal": {"N": "𝒩", "L": "ℒ", "D": "𝒟"}}


class FormulaError(ValueError):
    """A formula that is not of the part of LaTeX that is understood."""


def mathml(latex: str, display: bool = True) -> str:
    r"""A formula as an element ``<math>``.

    Parameters
    ----------
    latex : str
    display : bool
        Whether it stands on a line of its own, with the limits of a sum below and above it.

    Raises
    ------
    FormulaError
        Naming what is not understood.

    Examples
    --------
    >>> mathml(r"\frac{1}{2} x^2", display=False)
    '<math><mrow><mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    lines = [line.split("&") for line in latex.strip().split("\\\\")]
    parsed = [[_Reader(cell, display).row() for cell in line] for line in lines]
    content = parsed[0][0]
    if len(parsed) > 1 or len(parsed[0]) > 1:
        rows = ("".join(f'<mtd class="column-{i % 2}">{c}</mtd>' for i, c in enumerate(r)) for r in parsed)
        content = f'<mtable displaystyle="true">{"".join(f"<mtr>{row}</mtr>" for row in rows)}</mtable>'
    return f"<math{' display=' + chr(34) + 'block' + chr(34) if display else ''}>{content}</math>"


class _Reader:
    """A formula of one line, read from left to right."""

    def __init__(self, latex: str, display: bool) -> None:
        self.latex, self.display = latex, display
        self.tokens = [token for token in TOKEN.findall(latex) if not token.isspace()]

    def row(self, end: str | None = None) -> str:
        """What stands until the token `end`, or until all is read."""
        parts = []
        while self.tokens and self.tokens[0] != end:
            parts.append(self.scripted())
        if end is not None:
            self.take(end)
        return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def take(self, expected: str | None = None) -> str:
        """The next token."""
        if not self.tokens:
            raise FormulaError(f"formula: got {self.latex!r}, expected {expected or 'more'} at its end")
        token = self.tokens.pop(0)
        if expected is not None and token != expected:
            raise FormulaError(f"formula: got {token!r} in {self.latex!r}, expected {expected!r}")
        return token

    def scripted(self) -> str:
        """An atom with what stands below and above it."""
        limits = self.display and bool(self.tokens) and self.tokens[0][1:] in (*LARGE, "max", "min")
        base, scripts, primes = self.atom(), {"_": "", "^": ""}, ""
        while self.tokens and self.tokens[0] in (*scripts, "'"):
            sign = self.take()
            if sign == "'":
                primes += "<mo>′</mo>"
            else:
                scripts[sign] = self.atom()
        if primes:
            scripts["^"] = f"<mrow>{primes}{scripts['^']}</mrow>"
        names = [("under", "_"), ("over", "^")] if limits else [("sub", "_"), ("sup", "^")]
        used = [(name, scripts[sign]) for name, sign in names if scripts[sign]]
        if not used:
            return base
        tag = "m" + "".join(name for name, _ in used)
        return f"<{tag}>{base}{''.join(script for _, script in used)}</{tag}>"

    def atom(self) -> str:
        """A letter, a number, a sign, a group, or a command with its arguments."""
        token = self.take()
        if token == "{":
            return self.row("}")
        if token[0] == "\\":
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token in "}_^":
            raise FormulaError(f"formula: got {token!r} in {self.latex!r}, expected a letter before it")
        fence = ' stretchy="false"' if token in "()[]|" else ""
        return f"<mo{fence}>{escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"

    def command(self, name: str) -> str:
        """What a word after a backslash stands for."""
        if name in GREEK:
            return f"<mi>{GREEK[name]}</mi>"
        if name in LARGE:
            return f"<mo>{LARGE[name]}</mo>"
        if name in FUNCTIONS:
            return f'<mrow><mi>{name}</mi><mspace width="0.17em"></mspace></mrow>'
        if name in SIGNS:
            return f"<mo>{SIGNS[name]}</mo>"
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"></mspace>'
        if name in ACCENTS:
            return f'<mover accent="true">{self.atom()}<mo>{ACCENTS[name]}</mo></mover>'
        if name == "frac":
            return f"<mfrac>{self.atom()}{self.atom()}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self.atom()}</msqrt>"
        if name.startswith("text{"):  # one token, with its spaces, which browsers drop at both ends
            return f"<mtext>{escape(name[5:-1]).replace(' ', NO_BREAK_SPACE)}</mtext>"
        if name in ("mathrm", *ALPHABETS):
            word = self.word()
            letters = ALPHABETS.get(name)
            if letters is not None and word not in letters:
                raise FormulaError(f"formula: got {name} {word!r}, expected one of {', '.join(letters)}")
            return f"<mi>{letters[word] if letters else escape(word)}</mi>"
        if name == "left":
            opening, inside = self.fence(), self.row("\\right")
            return f"<mrow><mo>{opening}</mo>{inside}<mo>{self.fence()}</mo></mrow>"
        raise FormulaError(f"formula: got \\{name} in {self.latex!r}, which is not understood")

    def fence(self) -> str:
        """The sign that a bracket is, after ``left`` or ``right``."""
        sign = self.take()
        return escape(SIGNS.get(sign[1:], sign) if sign[0] == "\\" else sign)

    def word(self) -> str:
        """The letters in braces, spaces too, or one letter."""
        if self.tokens[:1] != ["{"]:
            return self.take()
        self.take("{")
        letters = []
        while self.tokens and self.tokens[0] != "}":
            letters.append(self.take())
        self.take("}")
        return "".join(letters)
