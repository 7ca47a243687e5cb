"""How text is changed: the walk over a module, its statements, imports and comments."""
