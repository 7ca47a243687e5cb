"""The table: a row for each function, layer or optimizer that both frameworks have."""
