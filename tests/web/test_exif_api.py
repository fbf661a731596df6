"""How a picture was taken, over HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.web.conftest import app_over, client_of

Library = tuple[Path, Path]


def test_exif_is_read_from_the_file_as_it_is_now(own_library: Library) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        [one] = [image for image in client.get("/api/images").json()["images"] if image["name"] == "red.jpg"]
        url = f"/api/images/{one['id']}/exif"
        said = client.get(url).json()
        assert (said["camera"], said["taken_at"], said["lens"]) == ("Acme One", "2024-05-02T17:42:08", None)
        assert (said["exposure"], said["latitude"]) == (None, None)
        (folder / "red.jpg").write_bytes(b"no picture any more")
        assert client.get(url).status_code == 415
        (folder / "red.jpg").unlink()
        assert client.get(url).status_code == 410
        assert client.get("/api/images/999999/exif").status_code == 404
