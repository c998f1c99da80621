"""Laws of what is shown on GitHub: every part is below its limit and whole; what is not shown is counted."""

from __future__ import annotations

import re

from builders import MX_KEY, OLD_MX, document, facts, present
from github_builders import HEAD, PLACE, PLAN_ID, assert_folds_are_whole, assert_github_markdown_is_safe
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.document import PlanHead, assemble_document
from reconciler.github.annotations import MOST_OF_A_KIND, Annotation, render_annotations
from reconciler.github.parts import Fold, LeftOut, octets, pack
from reconciler.github.plan_page import plan_page
from reconciler.github.sticky import PART_OCTETS, marked

_ONE = document(facts(mx=present(MX_KEY, OLD_MX)))
_HEAD = PlanHead.model_validate(_ONE.model_dump(include=set(PlanHead.model_fields)))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_LEFT = re.compile(r"LEFT (\d+) OF (\d+)")


def _note(left: LeftOut) -> str:
    return f"LEFT {left.blocks} OF {left.folds}\n\n"


@settings(deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(1, 3000), max_size=12), max_size=8),
    limit=st.integers(2200, 9000),
    most=st.integers(1, 6),
)
def test_parts_are_below_their_limit_and_hold_the_first_blocks(sizes: list[list[int]], limit: int, most: int) -> None:
    names = [[f"[{i}:{j}]" for j in range(len(inner))] for i, inner in enumerate(sizes)]
    folds = [
        Fold(f"fold {i}", len(inner), [f"{name}\n{'x' * size}\n\n" for name, size in zip(names[i], inner, strict=True)])
        for i, inner in enumerate(sizes)
    ]
    parts = pack("head\n\n", folds, "tail", limit=limit, most=most, note=_note)
    assert 1 <= len(parts) <= most
    assert all(octets(part) <= limit for part in parts)
    for part in parts:
        assert_folds_are_whole(part)
    joined, wanted = "".join(parts), [name for inner in names for name in inner]
    shown = [name for name in wanted if name in joined]
    assert shown == wanted[: len(shown)]
    found = _LEFT.search(parts[-1])
    assert (found is None) == (shown == wanted)
    if found is not None:
        begun = {name.split(":", maxsplit=1)[0] for name in wanted[len(shown) :]}
        assert (int(found[1]), int(found[2])) == (len(wanted) - len(shown), len(begun))


@settings(max_examples=40, deadline=None)
@given(
    organizations=st.lists(
        st.tuples(_TEXT, st.integers(0, 40), st.lists(_TEXT, max_size=3)), max_size=5, unique_by=lambda o: o[0]
    ),
    limit=st.integers(6000, PART_OCTETS),
)
def test_every_domain_is_shown_or_counted(organizations: list[tuple[str, int, list[str]]], limit: int) -> None:
    [made] = _ONE.domains
    domains = []
    for i, (organization, size, values) in enumerate(organizations):
        step = made.steps[0].model_copy(update={"after": values, "untouched": values, "reason": " ".join(values)})
        steps = [step, *made.steps[1:]]
        update = {"organization": organization, "steps": steps}
        names = [f"x{i}-{j}.example" for j in range(size)]
        domains += [made.model_copy(update={**update, "domain": name, "written": name}) for name in names]
    plan = assemble_document(_HEAD, domains, [], ())
    parts = plan_page(plan, PLACE, HEAD).parts(PLACE, limit=limit, most=3)
    for number, part in enumerate(parts, 1):
        assert octets(part) <= limit
        assert_github_markdown_is_safe(marked("plan", number, part, f"refused {PLAN_ID}"))
    joined = "".join(parts)
    shown = sum(f"**`{d.written}`**" in joined for d in domains)
    left = re.search(r"> \*\*([\d,]+) domains? of ", parts[-1])
    assert shown + (int(left[1].replace(",", "")) if left else 0) == len(domains)


@given(st.lists(st.tuples(st.sampled_from(["error", "warning", "notice"]), _TEXT, _TEXT, _TEXT, st.integers(0, 9))))
def test_annotations_are_lines_of_at_most_ten_of_a_kind(given_: list[tuple[str, str, str, str, int]]) -> None:
    made = [Annotation(kind, *rest) for kind, *rest in given_]  # type: ignore[arg-type]
    lines = render_annotations(made).splitlines()
    for kind in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{kind}") for line in lines) == min(
            MOST_OF_A_KIND, sum(a.kind == kind for a in made)
        )
    assert all(re.match(r"::(error|warning|notice)[ :]", line) for line in lines)
