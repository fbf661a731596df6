"""Loss and held-out recall by epoch, as a small SVG."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.training.checkpoint import EpochResult

CURVE_FILE = "training.svg"
_WIDTH, _HEIGHT, _MARGIN = 640, 320, 40


def curve(history: Sequence[EpochResult]) -> str:
    """Recall@10 both ways on a scale of 0 to 100 %, the loss on its own from 0 to its highest."""
    highest = max((result.loss for result in history if result.loss is not None), default=1.0) or 1.0
    lines = (
        ("text->image R@10", "#1f77b4", [(r.epoch, r.recall.text_to_image[2]) for r in history]),
        ("image->text R@10", "#2ca02c", [(r.epoch, r.recall.image_to_text[2]) for r in history]),
        (f"loss (top: {highest:.2f})", "#d62728", [(r.epoch, r.loss / highest) for r in history if r.loss is not None]),
    )
    last = max(1, history[-1].epoch)
    bottom, right = _HEIGHT - _MARGIN, _WIDTH - _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_MARGIN} {_MARGIN}V{bottom}H{right}" fill="none" stroke="#888"/>',
        f'<text x="4" y="{_MARGIN + 4}">100%</text><text x="18" y="{bottom + 4}">0</text>',
        f'<text x="{right}" y="{bottom + 20}" text-anchor="end">epoch {last}</text>',
    ]
    for number, (name, colour, points) in enumerate(lines):
        places = " ".join(
            f"{_MARGIN + (right - _MARGIN) * x / last:.1f},{bottom - (bottom - _MARGIN) * y:.1f}" for x, y in points
        )
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        label = name.replace(">", "&gt;")
        parts.append(f'<text x="{_MARGIN + 10 + 190 * number}" y="{_MARGIN - 16}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])
