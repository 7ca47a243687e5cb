"""The rules: what each use becomes, or why it stays.

`table` has a row for each function, layer or optimizer that both frameworks have; `families` a file
for each family of syntax; `training` the training step. Here lies what all of them ask and say:
the context of a module, how arguments become the other side's, findings, assumptions.
"""
