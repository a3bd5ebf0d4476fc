"""The skill browser: a program for the terminal. Widgets render; what they show is read elsewhere.

Only this package and the command line know the terminal.
"""
