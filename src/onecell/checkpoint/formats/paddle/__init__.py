"""Paddle's files: parameters, and programs for inference."""
