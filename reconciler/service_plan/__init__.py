"""The origin's side of a plan: allowlists and the spam rule of one service, as steps. Pure.

The same order as for DNS: expand adds what the target state needs, and lets everybody in where a mail domain leaves;
contract takes away what only an old state needed, and, last, keeps everybody else out; it waits until every mail domain
of the service was observed to be switched and no sender can hold an old MX. The program writes to no origin: what is to
be done is `manual`, and `emit` writes how.
"""

from reconciler.service_plan.lists import gateway_addresses, known_addresses, list_addresses, list_id, list_key
from reconciler.service_plan.mail_rule import wanted_rule
from reconciler.service_plan.planner import ServicePlan, plan_service, plan_services
from reconciler.service_plan.step import ServiceStep

__all__ = [
    "ServicePlan",
    "ServiceStep",
    "gateway_addresses",
    "known_addresses",
    "list_addresses",
    "list_id",
    "list_key",
    "plan_service",
    "plan_services",
    "wanted_rule",
]
