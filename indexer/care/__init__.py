"""Keeping a collection well: `doctor` says what is wrong and mends what is safe; backups are made and restored."""
