"""Who must know, and did it reach them?"""
