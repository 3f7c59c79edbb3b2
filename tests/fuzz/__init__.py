"""What do the doors of the platform do with bytes that nobody meant?  README.md says how to try millions of them."""
