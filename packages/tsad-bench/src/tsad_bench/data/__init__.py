"""The command `tsad-bench data`: what is at hand, how to get the rest, and how good it is as a test."""
