"""Frameworks that compute in a process of their own: which there are, and which Python has them."""

from onecell.verify.runtimes.interpreters import Interpreter, find_interpreter, variable

__all__ = ["Interpreter", "find_interpreter", "variable"]
