"""`python -m voyager`: the same as the command `voyager`."""

from voyager.cli import main

if __name__ == "__main__":
    main()
