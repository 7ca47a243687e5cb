"""What is measured: the cases, what they must give, by how much a side may miss it."""
