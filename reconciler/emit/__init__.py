"""Writing files for other tools to use: what they do with them is in each module's docstring."""
