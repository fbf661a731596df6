"""What a check of the doctor finds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

Severity = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    """Its name, such as `vectors`."""
    severity: Severity
    """`warning`: searches are right as they are; `broken`: they are not, or fail."""
    message: str
    """One sentence."""
    remedy: str | None = None
    """The command that mends it, or what else to do."""
    mend: partial[str] | None = field(default=None, repr=False, compare=False)
    """What `--fix` does; says what it has done. Never touches a picture."""

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "severity": self.severity,
            "message": self.message,
            "remedy": self.remedy,
            "can_fix": self.mend is not None,
        }


def command(*words: str | Path) -> str:
    """As one types it, in backquotes."""
    return f"`{shlex.join(map(str, words))}`"


def fix(library: Path) -> str:
    return command("sightline", "doctor", "--fix", "--library", library)
