"""What could not be indexed, over HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.web.conftest import app_over, client_of, index


def test_failures_by_reason_page_by_page(tmp_path: Path) -> None:
    folder, library = tmp_path / "pictures", tmp_path / "library"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture")
    index(folder, library, failures=4)
    with client_of(app_over(library)) as client:
        found = client.get("/api/failures").json()
        assert (found["failures"], found["roots"]) == (4, [{"path": str(folder), "kind": "folder", "failures": 4}])
        assert [one["failures"] for one in found["reasons"]] == [3, 1]
        asked = {"reason": found["reasons"][0]["reason"], "limit": 2}
        first = client.get("/api/failures/files", params=asked).json()
        second = client.get("/api/failures/files", params={**asked, "after": first["next_after"]}).json()
        assert [one["path"] for one in first["files"] + second["files"]] == [f"{folder}/{n}.png" for n in range(3)]
        assert second["next_after"] is None
        assert len(client.get("/api/failures/files").json()["files"]) == 4
