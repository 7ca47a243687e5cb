"""The families of syntax: calls, cells, methods, attributes; a file each."""
