"""Whether a folder is on a network file system, whose changes by other machines this one is not told of."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")

_OF_NETWORKS = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|9p|ceph|glusterfs|lustre|davfs2?|vboxsf|virtiofs|fuse\..+"
)
"""FUSE, too: sshfs, rclone and their like tell nothing either."""


def is_on_network(folder: str, mounts: Path = _MOUNTS) -> bool:
    """By the table of mounts; where there is none, as on macOS, nothing is taken for one."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return False
    place = os.path.realpath(folder)
    kind, longest = "", -1
    for line in lines:
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        point = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), fields[1]))
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # of two in one place the later one is on top
            kind, longest = fields[2].decode("ascii", "replace"), len(point)
    return _OF_NETWORKS.fullmatch(kind) is not None
