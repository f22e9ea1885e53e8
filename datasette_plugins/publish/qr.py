"""QR codes on paper, drawn as vectors."""

from __future__ import annotations

import segno

from datasette_plugins.publish.canvas import Canvas
from datasette_plugins.village_map.geometry import Box


def draw_qr(canvas: Canvas, content: str, box: Box) -> None:
    """Draw the QR code of a text into a square box, a quiet module around it."""
    matrix = tuple(segno.make(content, error="m", micro=False).matrix)
    step = box.h / (len(matrix) + 2)
    for row, line in enumerate(matrix):
        start = None
        for column, bit in enumerate((*line, 0)):
            if bit and start is None:
                start = column
            elif not bit and start is not None:
                x, y = box.x + (start + 1) * step, box.y + (row + 1) * step
                canvas.rect(Box(x, y, (column - start) * step, step), fill=(0, 0, 0))
                start = None
