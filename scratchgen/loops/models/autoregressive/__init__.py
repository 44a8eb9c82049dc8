"""Loops of the formulas of that folder."""
