"""Data sets: functions from options to series that are read when asked for."""
