"""Where jobs run: on this machine, in warm worker processes."""
