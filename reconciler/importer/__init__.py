"""Manifests drafted from what DNS shows: pure, from a list of domains and their observations to YAML text.

    request.py      names on the command line, a list, or CSV -> requests, or every error at once
    draft.py        what was observed of one domain -> what its manifest can say, and what it cannot
    render.py       drafts of one organization -> YAML, with a comment wherever something must be filled in
    suggest.py      name servers -> the octoDNS package that writes to whoever runs them (`name_servers.yaml`)

What DNS does not say is left out with a comment, and `validate` asks for it; nothing is guessed.
"""
