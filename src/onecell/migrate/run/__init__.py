"""A run over files: folders, child processes, what files show about each other, results."""
