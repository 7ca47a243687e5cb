"""Keras's files: HDF5 and .keras."""
