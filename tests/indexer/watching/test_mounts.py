from __future__ import annotations

from pathlib import Path

import pytest

from indexer.watching.mounts import is_on_network

TABLE = rb"""/dev/sda1 / ext4 rw 0 0
nas:/photos /mnt/nas nfs4 rw 0 0
//box/share /mnt/my\040share cifs rw 0 0
tmpfs /mnt/nas/cache tmpfs rw 0 0
ada@host: /mnt/ssh fuse.sshfs rw 0 0
/dev/sdb1 /mnt/ntfs fuseblk rw 0 0
nas:/old /mnt/twice nfs rw 0 0
/dev/sdc1 /mnt/twice xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "network"),
    [
        ("/home/ada/Pictures", False),
        ("/mnt/nas", True),
        ("/mnt/nas/2024", True),
        ("/mnt/nas/cache/x", False),
        ("/mnt/nasty", False),
        ("/mnt/my share/x", True),
        ("/mnt/ssh", True),
        ("/mnt/ntfs", False),
        ("/mnt/twice", False),
    ],
)
def test_the_innermost_and_last_mount_decides(tmp_path: Path, folder: str, network: bool) -> None:
    (tmp_path / "mounts").write_bytes(TABLE)
    assert is_on_network(folder, tmp_path / "mounts") is network


def test_without_a_table_nothing_is_taken_for_a_network(tmp_path: Path) -> None:
    assert not is_on_network("/mnt/nas", tmp_path / "nowhere")
