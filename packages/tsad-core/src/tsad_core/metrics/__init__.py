"""Metrics: pure functions of labels, scores and what else they name."""
