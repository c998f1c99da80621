"""The gateway's facts as one data file, its model, and what the rest of the program asks of it.

`load_catalog` reads the shipped `catalog.yaml`, or another file of the same shape that the settings name.
"""

from reconciler.catalog.load import load_catalog
from reconciler.catalog.model import Advisory, Catalog, Region, SpamRule

__all__ = ["Advisory", "Catalog", "Region", "SpamRule", "load_catalog"]
