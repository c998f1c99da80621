"""Limits stop mistakes: so many switches in one run, none while the fleet looks unhealthy, nothing in a freeze. Pure.

What is held here is ready for all that its gates say, and goes on with a later run. In this order:

* the kill switch holds every step, and a freeze does until it is over: nothing is written, and nobody is asked to;
* an unhealthy fleet holds what moves mail or removes something; what only adds may be what mends it;
* the first switches of the document's order go, as many as a run and an organization may have, and the rest wait.

A mail domain is unhealthy that has an error, that could not be observed, or whose MX is as wanted while a wanted
verification value is not there (or none at all is, and it is behind the gateway). Shares have no floor: of one mail
domain, one is all of them.

Here is what settings say; whoever decides imports `decide.py` or `plans.py`, and with them what steps and gates are.
"""

from reconciler.limits.model import DEFAULT_LIMITS, FreezeWindow, Limits, Stops, frozen_until

__all__ = ["DEFAULT_LIMITS", "FreezeWindow", "Limits", "Stops", "frozen_until"]
