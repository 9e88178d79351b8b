"""Figures on paper: a table for people, lines of JSON for comparing later."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figure import Figure, Row

HERE = Path(__file__).parent
RESULTS = HERE / "results"

HEADINGS = ("", "ours", "peer", "ratio (lowest to highest)", "bar", "", "note")


def table(figure: Figure, rows: Sequence[Row], foreign_share: float) -> str:
    """The figure as text.

    Args:
        foreign_share: of one core, taken meanwhile by work that was not ours.
    """
    columns = [
        (heading, *cells) for heading, *cells in zip(HEADINGS, *map(_cells, rows), strict=True) if any(cells)
    ]
    widths = [max(map(len, column)) for column in columns]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*columns, strict=True)
    )
    runs = min(len(row.ours) for row in rows)
    against = f" (peer: {figure.peer})" if figure.peer else ""
    return (
        f"{figure.name}: {figure.question}{against}\n{text}\n"
        f"Medians of {runs} run{'s' if runs != 1 else ''}; other work took {foreign_share:.0%} of one core "
        f"of {os.cpu_count()} meanwhile.\n"
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratios = row.ratios
    return (
        row.measure,
        f"{_number(row.value)} {row.unit}{_spread(row.ours)}",
        "" if row.peer_value is None else f"{_number(row.peer_value)} {row.unit}",
        f"{_number(median(ratios))} ×{_spread(ratios)}" if ratios else "",
        "" if row.bar is None else f"{row.bar}{'' if row.bar.of_ratio else ' ' + row.unit}",
        {None: "", True: "reached", False: "NOT REACHED"}[row.is_met],
        row.note,
    )


def _spread(numbers: Sequence[float]) -> str:
    return f" ({_number(min(numbers))} to {_number(max(numbers))})" if len(numbers) > 1 else ""


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def keep(figure: Figure, rows: Sequence[Row], foreign_share: float) -> Path:
    """Append the figure to its file of results.

    Returns:
        the file.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{figure.name}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(line(figure, rows, foreign_share) + "\n")
    return path


def line(figure: Figure, rows: Sequence[Row], foreign_share: float) -> str:
    """The figure as one line of JSON."""
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figure": figure.name,
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "foreign_share": round(foreign_share, 3),
        "peer": figure.peer,
        "rows": [_plain(row) for row in rows],
    }
    return json.dumps(found, ensure_ascii=False)


def _plain(row: Row) -> dict[str, Any]:
    return {
        "measure": row.measure,
        "unit": row.unit,
        "ours": list(row.ours),
        "peer": list(row.peer),
        "ratio": median(row.ratios) if row.ratios else None,
        "bar": None if row.bar is None else str(row.bar),
        "met": row.is_met,
        "note": row.note,
    }


def _commit() -> str:
    """The commit that was measured, with a + where files differ from it; empty outside a clone."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    return found.stdout.strip()
