"""Fuzzes the walker against dnspython with atheris: `make fuzz`, or this file with a folder and options of libFuzzer.

The folder holds the corpus: it begins as answers that the code here makes, and grows. A finding ends the run with an
exit code that is not 0, and its input is written into the working directory (`-artifact_prefix` says where else).
"""

from __future__ import annotations

import hashlib
import random
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # publishes no types

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(
    include=[f"reconciler.observe.{name}" for name in ("walker", "records", "compression", "reply")]
):
    from wire_answers import an_answer

    from fuzz.walker_target import fuzz_one

SEEDS = 200  # of each kind


def write_seeds(folder: Path) -> None:
    """Answers as servers make them, and octets to build others from; the last octet says which."""
    dice = random.Random(1)  # noqa: S311 - test data
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [an_answer(dice)[0] + b"\x00" for _ in range(SEEDS)]
    seeds += [dice.randbytes(400) + b"\x03" for _ in range(SEEDS)]
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()).write_bytes(seed)


def fuzz_octets(octets: bytes) -> None:
    """One input of the fuzzer."""
    fuzz_one(atheris.FuzzedDataProvider(octets))


def main(arguments: list[str]) -> None:
    """Run until time or runs are over, or until a finding."""
    folders = [argument for argument in arguments[1:] if not argument.startswith("-")]
    for folder in folders:
        write_seeds(Path(folder))
    atheris.Setup([*arguments, "-max_len=2048", "-timeout=10", "-rss_limit_mb=2048"], fuzz_octets)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
