"""What no program of these parts can go below, each in a process of its own; prints JSON: seconds, count.

`floors.py events|models FOLDER`: libyaml's events of every manifest and nothing made of them; pydantic's validation of
every manifest, read before, with the garbage collector off.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def count_events(directory: Path) -> tuple[float, int]:
    """Seconds, and how many events there are."""
    import _ruamel_yaml  # noqa: PLC0415 - nothing more than what is measured
    from ruamel.yaml.events import StreamEndEvent  # noqa: PLC0415

    texts = [path.read_bytes() for path in directory.glob("*.yaml")]
    count = 0
    gc.disable()
    begun = time.perf_counter()
    for text in texts:
        next_event = _ruamel_yaml.CParser(text).get_event
        count += 1
        while type(next_event()) is not StreamEndEvent:
            count += 1
    return time.perf_counter() - begun, count


def validate_models(directory: Path) -> tuple[float, int]:
    """Seconds, and how many domains there are."""
    from reconciler.manifest.models import OrganizationManifest  # noqa: PLC0415 - as above
    from reconciler.strict_yaml import load_yaml  # noqa: PLC0415

    trees = [load_yaml(path.read_bytes(), path.name).data for path in directory.glob("*.yaml")]
    gc.disable()
    begun = time.perf_counter()
    models = [OrganizationManifest.model_validate(tree) for tree in trees]
    seconds = time.perf_counter() - begun
    return seconds, sum(len(service.domains) for model in models for service in model.services)


FLOORS: dict[str, Callable[[Path], tuple[float, int]]] = {"events": count_events, "models": validate_models}


def main() -> None:
    """`floors.py FLOOR FOLDER`."""
    seconds, count = FLOORS[sys.argv[1]](Path(sys.argv[2]) / "manifests")
    print(json.dumps({"seconds": seconds, "count": count}))


if __name__ == "__main__":
    main()
