"""How does what we keep outlive its disk, and what must happen before anybody works on what was restored?"""
