"""Long Markdown in parts: every fold whole, every part below its limit, what is left out counted."""

from __future__ import annotations

from github_builders import assert_folds_are_whole

from reconciler.github.parts import Fold, LeftOut, fitted, octets, pack


def note(left: LeftOut) -> str:
    return f"LEFT {left.blocks} {left.folds}\n\n"


def fold(name: str, *blocks: str) -> Fold:
    return Fold(name, len(blocks), [f"{b}\n\n" for b in blocks])


def test_what_fits_is_one_part() -> None:
    [part] = pack("head\n\n", [fold("a", "x", "y"), fold("b", "z")], "tail", limit=5000, most=5, note=note)
    assert part == (
        "head\n\n<details><summary>a</summary>\n\nx\n\ny\n\n</details>\n\n"
        "<details><summary>b</summary>\n\nz\n\n</details>\n\ntail"
    )


def test_a_fold_goes_on_in_the_next_part() -> None:
    parts = pack("head\n\n", [fold("a", *["x" * 400] * 5)], "tail", limit=2500, most=5, note=note)
    assert len(parts) == 3
    for part in parts:
        assert_folds_are_whole(part)
        assert octets(part) <= 2500
    assert parts[1].startswith("<details><summary>a (continued)</summary>")
    assert sum(part.count("x" * 400) for part in parts) == 5
    assert parts[-1].endswith("tail")
    assert "LEFT" not in "".join(parts)


def test_what_does_not_fit_is_counted_in_the_first_and_the_last_part() -> None:
    folds = [fold("a", *["x" * 400] * 3), fold("b", *["y" * 400] * 7), fold("c", "z")]
    parts = pack("head\n\n", folds, "tail", limit=2500, most=2, note=note)
    shown = sum(part.count("x" * 400) + part.count("y" * 400) for part in parts)
    assert [part.count(f"LEFT {11 - shown} 2") for part in parts] == [1, 1]
    assert parts[-1].endswith("tail")
    assert 0 < shown < 11


def test_blocks_that_nobody_sees_are_not_made() -> None:
    made = []

    def blocks() -> object:
        for number in range(1000):
            made.append(number)
            yield "x" * 500 + "\n\n"

    pack("", [Fold("a", 1000, blocks())], "", limit=4000, most=1, note=note)  # type: ignore[arg-type]
    assert len(made) < 10


def test_a_block_that_is_too_long_loses_whole_lines() -> None:
    block = "**name**\n\n" + "".join(f"- line {i}\n" for i in range(100)) + "\n"
    cut = fitted(block, 400)
    assert octets(cut) <= 400
    assert cut.startswith("**name**\n\n- line 0\n")
    kept = cut.count("- line ")
    assert cut.endswith(f"- {100 - kept} more lines are left out here\n\n")
    assert fitted("x" * 1000, 300) == "- 1 more lines are left out here\n\n"


def test_sizes_are_octets() -> None:
    assert octets("é€😀") == 2 + 3 + 4
    parts = pack("", [fold("a", *["😀" * 100] * 10)], "", limit=2600, most=9, note=note)
    assert all(octets(part) <= 2600 for part in parts)
    assert len(parts) > 3


def test_a_head_that_is_too_long_is_cut_too() -> None:
    head = "".join(f"- warning {i}\n" for i in range(1000))
    parts = pack(head, [fold("a", "x")], "tail", limit=4000, most=2, note=note)
    assert all(octets(part) <= 4000 for part in parts)
    assert "more lines are left out here" in parts[0]
