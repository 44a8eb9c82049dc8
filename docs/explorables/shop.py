"""The fifty people of the shop."""

from scratchgen.data import avatars
from scratchgen.plots.explorables import Explorable, shop


def show() -> Explorable:
    """Their counts, to be edited."""
    caption = "Drag a bar, or choose one and press plus or minus. The marks are where the truth would have it"
    return shop(avatars.observations(), caption)
