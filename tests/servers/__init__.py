"""Real name servers on loopback for the integration tests: BIND, Knot and PowerDNS, and zones that hurt."""
