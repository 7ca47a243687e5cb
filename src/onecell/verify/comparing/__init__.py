"""Compare two things that claim to be one cell: what they are, where they part, and why."""
