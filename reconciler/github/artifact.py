"""The one file of an artifact, out of a zip file that nobody vouches for."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from hashlib import sha256

# what the methods of compression raise, and names that are not what they are said to be
_DECODING = (zlib.error, lzma.LZMAError, UnicodeError)
MAX_ARCHIVE = 128 * 1024 * 1024
MAX_FILE = 512 * 1024 * 1024


class ArtifactError(Exception):
    """The artifact is not what its workflow makes; the text says how."""


def only_member(archive: bytes, name: str, digest: str = "", limit: int = MAX_FILE) -> bytes:
    """The octets of the one file in a zip file, which is called `name` and has at most `limit` octets.

    `digest` is the archive's, as in `sha256:0123...`, where it is known. Nothing is unpacked into a folder.

    Raises:
        ArtifactError: any of it is not so.

    """
    if digest.startswith("sha256:") and digest != f"sha256:{sha256(archive).hexdigest()}":
        raise ArtifactError("its digest does not fit")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = opened.infolist()
            if [m.filename for m in members] != [name]:
                message = f"it has other files in it than {name} alone"
                raise ArtifactError(message)
            # what is said of the size is not believed
            with opened.open(members[0]) as file:
                octets = file.read(limit + 1)
    except (zipfile.BadZipFile, *_DECODING, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as exc:
        raise ArtifactError("it is no zip file that can be read") from exc
    if len(octets) > limit:
        raise ArtifactError("its file is too large")
    return octets
