"""Observing live DNS once more: plain, slow and obvious, to hold the fast observer against.

One question after the other, one attempt after the other, one socket for each, whole message objects, nothing shared,
nothing remembered. It is written from the contract in `reconciler.observe` and shares no code with the package but the
words of asking and the vocabulary of `reconciler.state`.
"""
