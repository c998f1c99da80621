"""The page: a static site of the fleet, from a plan, its drift and the journal; no request to anywhere.

`build_site` is pure and says which files there are; each is rendered when it is asked for. `write_site` puts them into
a folder that is theirs alone.
"""

from reconciler.site.coverage import Coverage, CoverageState, find_coverage
from reconciler.site.folder import write_site
from reconciler.site.pages import build_site
from reconciler.site.seen import Seen

__all__ = ["Coverage", "CoverageState", "Seen", "build_site", "find_coverage", "write_site"]
