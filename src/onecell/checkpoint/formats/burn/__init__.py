"""Burn's files: packs, and records before them."""
