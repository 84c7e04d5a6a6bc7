"""From two studies to the map between their frames, with its own doubt."""
