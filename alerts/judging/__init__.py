"""Is something wrong?  Pure: a state and what was heard, or a moment, give a new state and findings."""
