"""What stands alone in DNS, and since when that counts."""

from __future__ import annotations

from builders import PRIMARY, SECONDARY, TXT_KEY, domain, facts, observation, present

from reconciler.gates.observed import has_wanted_values_alone
from reconciler.state import Cause, Unknown


def test_wanted_values_stand_alone_when_every_server_shows_no_other_one_of_ours() -> None:
    assert has_wanted_values_alone(facts(domain(connection="api")))
    assert has_wanted_values_alone(facts(txt=present(TXT_KEY, PRIMARY, '"somebody-else"')))
    assert not has_wanted_values_alone(facts(txt=present(TXT_KEY, PRIMARY, SECONDARY)))
    silent = observation(TXT_KEY, present(TXT_KEY, PRIMARY), Unknown(Cause.TIMEOUT, "no answer"))
    assert not has_wanted_values_alone(facts(txt=silent))
