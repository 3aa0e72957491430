"""Who takes part: one module for each, which knows how that one does the work."""
