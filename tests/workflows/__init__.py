"""A runner for this repository's workflows: their own `run` steps in bash, against a local forge.

`expressions` evaluates what stands in `${{ }}`, `steps` runs one list of steps, `actions` plays the actions that come
from elsewhere, `runner` runs a workflow's jobs, and `forge` is the repository: branches, pull requests and events.
"""
