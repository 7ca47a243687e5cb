"""Port a whole project: its code, its checkpoints, and the proof."""
