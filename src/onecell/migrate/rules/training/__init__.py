"""The training step: where it is, what it takes for granted, how the other side writes it."""
