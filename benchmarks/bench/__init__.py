"""How speed and memory are measured: who runs, what they run, and how it is told."""
