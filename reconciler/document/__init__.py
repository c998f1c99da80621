"""The plan as a document: versioned JSON that is reviewed, saved, and applied as reviewed.

`digest` is over what the plan means (what is written where, over which observed values, for which manifests, catalog
and commit); two plans of the same world have the same digest. `id` binds the digest to the moment and the expiry, and
is what an apply uses up. Readers ignore unknown fields and refuse another major version. A plan shows names and values
of zones: treat it as sensitive.
"""

from reconciler.document.build import (
    assemble_document,
    build_document,
    domain_document,
    service_documents,
    shown_domain,
)
from reconciler.document.digest import digest_of
from reconciler.document.file import checked_document, load_document, read_document, read_json, render_document
from reconciler.document.held import held_step
from reconciler.document.made import made
from reconciler.document.models import (
    DiagnosticDocument,
    DocumentHead,
    DocumentModel,
    DomainDocument,
    LeftOutDocument,
    PlanDocument,
    PlanHead,
    ResourceDocument,
    ServiceDocument,
    ShardDocument,
    SourceDocument,
    StepDocument,
    StopsDocument,
    plan_schema,
)

__all__ = [
    "DiagnosticDocument",
    "DocumentHead",
    "DocumentModel",
    "DomainDocument",
    "LeftOutDocument",
    "PlanDocument",
    "PlanHead",
    "ResourceDocument",
    "ServiceDocument",
    "ShardDocument",
    "SourceDocument",
    "StepDocument",
    "StopsDocument",
    "assemble_document",
    "build_document",
    "checked_document",
    "digest_of",
    "domain_document",
    "held_step",
    "load_document",
    "made",
    "plan_schema",
    "read_document",
    "read_json",
    "render_document",
    "service_documents",
    "shown_domain",
]
