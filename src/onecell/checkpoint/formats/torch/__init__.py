"""torch's own files, each kind read by one module; no torch is imported."""
