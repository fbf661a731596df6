"""The shell of the page: what it names exists, and nothing in it needs a looser content policy."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from web.pages import PAGES, STATIC

FIRST_LOAD = 150_000
"""Bytes, compressed, of the shell and all that it names."""


class Elements(HTMLParser):
    """All start tags of a document, with their attributes, and the text of each script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if attributes.get("id")]

    def links(self) -> list[str]:
        return [
            attributes[name]
            for tag, attributes in self.tags
            for name in ("href", "src")
            if tag in ("link", "script", "img") and attributes.get(name)
        ]


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shell(client: TestClient, page: str) -> Elements:
    return Elements(client.get(page).text)


@pytest.fixture
def modules(shell: Elements) -> list[Path]:
    """The page's script and all that it imports, at any depth."""
    [script] = [attributes["src"] for tag, attributes in shell.tags if tag == "script" and "src" in attributes]
    found: list[Path] = []
    waiting = [STATIC / str(script).removeprefix("/static/")]
    while waiting:
        module = waiting.pop().resolve()
        if module not in found:
            found.append(module)
            imported = re.findall(r'from "([^"]+)"', module.read_text())
            assert all(name.startswith("./") or name.startswith("../") for name in imported), module
            waiting += [module.parent / name for name in imported]
    return found


def test_everything_the_shell_names_is_there_and_ours(client: TestClient, shell: Elements) -> None:
    links = shell.links()
    assert "/static/base.css" in links
    for link in links:
        assert link.startswith("/static/")
        assert client.get(link).status_code == 200, link


def test_every_module_is_fetched_at_once(shell: Elements, modules: list[Path]) -> None:
    preloaded = {
        attributes["href"] for tag, attributes in shell.tags if tag == "link" and attributes["rel"] == "modulepreload"
    }
    assert preloaded == {f"/static/{module.relative_to(STATIC.resolve())}" for module in modules}


def test_every_module_belongs_to_a_page(client: TestClient) -> None:
    named = {link for page in PAGES for link in Elements(client.get(page).text).links()}
    assert {f"/static/{module.relative_to(STATIC)}" for module in STATIC.rglob("*.js")} <= named


def test_no_inline_script_and_no_inline_style(client: TestClient, shell: Elements, page: str) -> None:
    for tag, attributes in shell.tags:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes.get("src") or attributes["type"] == "application/json"  # which is not run
    policy = client.get(page).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_ids_are_unique_and_those_that_the_modules_use_exist(shell: Elements, modules: list[Path]) -> None:
    ids = shell.ids()
    assert len(ids) == len(set(ids))
    for module in modules:
        used = re.findall(r"""part\("([\w-]+)"\)|querySelector\("#([\w-]+)"\)""", module.read_text())
        assert {first or second for first, second in used} <= set(ids), module.name


def test_every_control_has_a_name(shell: Elements) -> None:
    """Icon buttons have no text: each says what it does. (`theme` and `model` get their names from a module.)"""
    for tag, attributes in shell.tags:
        if tag == "button" and "icon-button" in (attributes.get("class") or "") and attributes.get("id") != "theme":
            assert attributes.get("aria-label"), attributes
        if tag == "input" and attributes["type"] == "search":
            assert attributes.get("aria-label")


def test_the_chosen_theme_is_in_the_first_byte(client: TestClient, page: str) -> None:
    def theme(cookie: str) -> str | None:
        response = client.get(page, headers={"Cookie": cookie})
        assert response.headers["vary"].startswith("Accept-Language, Cookie")
        return Elements(response.text).tags[0][1].get("data-theme")

    assert theme("theme=dark") == "dark"
    assert theme("theme=light") == "light"
    assert theme('theme="><script>') is None
    assert theme("other=1") is None


def test_styles_are_the_same_from_right_to_left() -> None:
    """Physical sides would stay where they are when the text turns round."""
    physical = re.compile(
        r"(?:margin|padding|border|inset)-(?:left|right)|(?<![\w-])(?:left|right|text-align: left)\s*:"
    )
    for styles in STATIC.rglob("*.css"):
        assert not physical.findall(styles.read_text()), styles


def test_first_load_is_small(client: TestClient, shell: Elements, page: str) -> None:
    parts = [client.get(link).content for link in {page, *shell.links()}]
    assert sum(len(gzip.compress(part)) for part in parts) < FIRST_LOAD
