"""A world of mail for the planner to live in: DNS, caches, senders, the gateway, origins, people, and its own clock.

The world (`clock`, `authority`, `gateway`, `origin`, `mail`) shares nothing with the planner but plain data: names,
rdata text, the catalog's facts. `program` drives the real planner in it, `people` do what the program cannot, `life`
lets both go on for as long as a scenario says, and `verdict` compares the end with what was declared.
"""
