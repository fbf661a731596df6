"""Searching the words that are known about images, beside what they show."""
