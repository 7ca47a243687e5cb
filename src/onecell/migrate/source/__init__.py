"""What a source is: text and encoding, a notebook's parts, positions, and what is asked of it."""
