"""Keeping a collection in step with its roots while they change."""
