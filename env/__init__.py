"""The world, and the only judge."""
