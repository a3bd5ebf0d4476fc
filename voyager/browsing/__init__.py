"""What the browser shows, without any terminal."""
