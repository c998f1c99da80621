"""Puts mail domains behind an inbound e-mail security gateway, and keeps them there.

    manifests -> desired
                         diff -> plan (gates) -> apply -> verify
    world ---- observed                      -> emit, report

`run.py` has one short function per verb and reads as this diagram.
"""

__version__ = "0.1.0"
