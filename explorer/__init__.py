"""Autograd Explorer: what PyTorch really computed, recorded once and read many times."""

__version__ = "0.1.0"
