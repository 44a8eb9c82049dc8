"""Loops of distributions."""
