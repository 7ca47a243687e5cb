"""Orbax: a folder of arrays in zarr's format, each in files of its own or all in one database."""
