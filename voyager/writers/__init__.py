"""Writers: what proposes a program for a task."""
