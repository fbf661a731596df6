"""What the docs say of the program is what the program says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from web.cli import app

ROOT = Path(__file__).parents[1]


def _commands_of(group: Any) -> dict[str, Any]:
    """None of what is no group."""
    return getattr(group, "commands", {})


def test_every_command_and_option_is_documented() -> None:
    """`make docs` writes the page anew."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    inner = {f"{name} {sub}": one for name, group in commands.items() for sub, one in _commands_of(group).items()}
    for name, command in (commands | inner).items():
        section = re.split("\n###? ", page.split(f"# `sightline {name}`\n")[1])[0]
        listed = re.findall(r"^\* `(-[^`]*)`", section, re.MULTILINE)
        on = (line.partition(" / ")[0] for line in listed)  # without the way to turn it off
        documented = {max(re.findall(r"(?<![\w-])-+[\w-]+", line), key=len) for line in on}
        options = {max(p.opts, key=len) for p in command.params if p.opts[0].startswith("-") and not p.hidden}
        assert documented == options | {"--help"}, name
    assert set(re.findall(r"^## `sightline ([a-z]+)`", page, re.MULTILINE)) == set(commands)


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"^\$ sightline (\w+)", readme, re.MULTILINE))
    assert used
    for name in used:
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name


def test_links_between_the_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("indexer/mini/*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
