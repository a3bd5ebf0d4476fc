"""Skills for other programs: one simulator behind a queue, and the protocols that reach it."""
