"""Families of modules: cells, layers, their parameters, names and learning rates."""
