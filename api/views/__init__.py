"""What does a page say?  From facts to words, and to when those words stop being true.  Pure.

Nothing is said that the facts do not hold: *watched* is about us, not about the resident; a lease that has lapsed is
"we cannot see", whatever was true before it; names, never "she" or "the resident".
"""
