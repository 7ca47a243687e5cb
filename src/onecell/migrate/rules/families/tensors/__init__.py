"""Families of tensors: how they are made, changed in place, and what their methods become."""
