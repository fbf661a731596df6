from __future__ import annotations

import inspect

from indexer import errors


def _classes() -> list[type[errors.SightlineError]]:
    return [
        found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.SightlineError)
    ]


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.strip("│├└─ ").split(" ")[0]
        if name.isidentifier() and hasattr(errors, name):
            depth = (len(line) - len(line.lstrip("│├└─ "))) // 4 - 1
            del above[depth:]
            drawn[name] = above[-1] if above else None
            above.append(name)
    real = {found.__name__: found.__base__.__name__ for found in _classes() if found is not errors.SightlineError}
    assert drawn == {"SightlineError": None, **real}


def test_messages_name_the_thing_and_the_remedy() -> None:
    mismatch = errors.ModelMismatch("/lib", field="model", stored="mini", given="ViT-B-32/openai", model="mini")
    assert "--model mini" in str(mismatch)
    assert "ViT-B-32/openai" in str(mismatch)
    missing = errors.WeightsNotFound("X", ["/a", "/b"])
    assert "--model mini" in str(missing)
    assert "/a, /b" in str(missing)
    large = errors.ImageTooLarge(what="pixels", actual=200_000_000, limit=150_000_000, remedy="raise --max-pixels")
    assert "200,000,000 pixels" in str(large)
    assert "--max-pixels" in str(large)
