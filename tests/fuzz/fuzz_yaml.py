"""Fuzzes the strict YAML loader against ruamel.yaml's parser in Python: `make fuzz`, or with options of libFuzzer.

As with the walker, the folder given holds the corpus, and a finding ends the run with an exit code that is not 0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # publishes no types

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

with atheris.instrument_imports(include=["reconciler.strict_yaml", "reconciler.yaml_events", "reconciler.plain_yaml"]):
    import reconciler.yaml_events  # noqa: F401 - the loader imports it when a text needs it
    from fuzz.yaml_target import fuzz_one


def write_seeds(folder: Path) -> None:
    """The manifests of the golden cases; the last octet has the target take them as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, manifest in enumerate(sorted(TESTS.glob("golden/*/*/manifests/*.yaml"))):
        (folder / f"manifest-{number}").write_bytes(manifest.read_bytes() + b"\x00")


def fuzz_octets(octets: bytes) -> None:
    """One input of the fuzzer."""
    fuzz_one(atheris.FuzzedDataProvider(octets))


def main(arguments: list[str]) -> None:
    """Run until time or runs are over, or until a finding."""
    for folder in arguments[1:]:
        if not folder.startswith("-"):
            write_seeds(Path(folder))
    atheris.Setup([*arguments, "-max_len=2048", "-timeout=10", "-rss_limit_mb=2048"], fuzz_octets)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
