"""What to try next.

Nothing lives here yet: until the curriculum exists, goals come from the command line.
"""

__all__: list[str] = []
