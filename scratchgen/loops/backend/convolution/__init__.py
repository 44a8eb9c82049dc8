"""Convolution: which way serves which shape (`columns`), windows written out, minimal filtering."""
