"""Questions that can be put to the cell of any framework, and what each framework answered.

`asking` is the text above every question, `adapters` what a framework adds to it, `questions` the
questions, `claims` what is held to be true, `stored` the answers that come with onecell.
"""
