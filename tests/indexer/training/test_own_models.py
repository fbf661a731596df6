"""What trainings leave in the collection's own folder."""

from __future__ import annotations

from pathlib import Path

from indexer.care.backup import back_up
from indexer.care.restore import restore
from indexer.catalog import Catalog
from indexer.training.own_models import clear_abandoned, folder_of, own_models
from tests.checkpoints import make_checkpoint
from tests.indexer.samples import MANIFEST


def test_what_was_cancelled_goes_and_what_can_go_on_or_is_whole_stays(tmp_path: Path) -> None:
    library = tmp_path / "library"
    with Catalog.create(library, MANIFEST) as catalog:
        jobs = {name: catalog.jobs.add("train", {"model": name}).id for name in ("whole", "cancelled", "paused")}
        catalog.jobs.cancel(jobs["whole"])  # its last step was done
        catalog.jobs.cancel(jobs["cancelled"])
        catalog.jobs.pause(jobs["paused"])
        folders = {name: folder_of(library, id) for name, id in jobs.items()} | {"forgotten": folder_of(library, 99)}
        make_checkpoint(folders["whole"])
        for name in ("cancelled", "paused", "forgotten"):
            (folders[name] / "checkpoint").mkdir(parents=True)
        clear_abandoned(library, catalog.jobs)
    assert {name for name, folder in folders.items() if folder.exists()} == {"whole", "paused"}
    assert list(own_models(library)) == [folders["whole"]]


def test_they_are_in_a_backup(tmp_path: Path) -> None:
    library = tmp_path / "library"
    Catalog.create(library, MANIFEST).close()
    whole = make_checkpoint(folder_of(library, 1))
    (folder_of(library, 2) / "checkpoint").mkdir(parents=True)
    back_up(library, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", tmp_path / "restored")
    [restored] = own_models(tmp_path / "restored")
    assert {file.name: file.read_bytes() for file in restored.iterdir()} == {
        file.name: file.read_bytes() for file in whole.iterdir()
    }
    assert not folder_of(tmp_path / "restored", 2).exists()
