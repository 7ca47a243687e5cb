"""`python -m onecell` is the command `onecell`."""

from onecell.cli import main

if __name__ == "__main__":
    main()
