"""``python -m scratchgen``: what this machine offers, and what would make it faster."""

from .backend.environment import describe

if __name__ == "__main__":
    print(describe())
