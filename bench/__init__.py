"""Measurements: what the judge, the sandbox and the search cost. One command: `python -m bench`.

Wall time is measured here and nowhere else in the project. Machines are noisy, so whatever is
compared runs interleaved in one process (A B B A A B ...) on the same rebuilt worlds, and is told
as the median of the ratios of neighbours with the smallest and the greatest of them.
"""
