"""Published detectors to compare with, each independent of the others."""
