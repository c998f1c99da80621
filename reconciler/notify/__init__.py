"""Notifications: what people are told of by message, once.

`follow` turns documents and what the journal remembers into records of what is to be told, `digest` those into few
messages, `rendering` messages into texts; all of it pure but for the templates. `sending` sends them, each endpoint in
a process of its own (`courier`), so that none can hold up, flood or end the run.
"""
