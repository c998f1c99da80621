"""Servers that hold an allowlist or a spam rule: each one a small file that reads and templates that write.

`base.py` is the interface; `registry.py` lists the targets. A new one is its file here, its templates, a line in the
registry, and a page in docs/targets.
"""
