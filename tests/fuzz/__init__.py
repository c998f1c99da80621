"""Fuzzing: what is held against what, and the programs that do it."""
