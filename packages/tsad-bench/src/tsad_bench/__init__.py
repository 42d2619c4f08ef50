"""Run every installed detector through suites, and log each cell to MLflow."""
