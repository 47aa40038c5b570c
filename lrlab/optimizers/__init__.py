"""Optimizers as values: hyperparameters that print, hash and build the optimizer of PyTorch."""

from lrlab.optimizers._rules import SGD, Adam, AdamW, Optimizer, from_dict

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "from_dict"]
