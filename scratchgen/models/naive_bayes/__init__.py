"""Naive Bayes: the model that the course starts with, and the two it is compared with."""

from .categorical import CategoricalNaiveBayes
from .joint import JointMultinomial
from .pixels import PixelNaiveBayes

__all__ = ["CategoricalNaiveBayes", "JointMultinomial", "PixelNaiveBayes"]
