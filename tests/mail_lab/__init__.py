"""A small Internet of real servers in network namespaces of its own: senders, name servers, the gateway, an origin.

    senders -- unbound -- BIND          the Internet's namespace, which also routes
       |
       +---- Postfix, a gateway site for each region, with the catalog's real addresses     the gateway's namespace
       +---- Postfix, the origin, with the table that `reconciler emit` writes              the origin's namespace

Nothing leaves these namespaces, and everything in them ends with the test.
"""
