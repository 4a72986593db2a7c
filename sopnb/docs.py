"""Pages of docs/ that are made from the code, so that they cannot disagree with it.

    python -m sopnb.docs        writes docs/codebook.md
"""

from __future__ import annotations

from pathlib import Path

from sopnb import frames

HEAD = """# Codebook

Every table sopnb reads or writes: its key, its columns, their units. Made from `sopnb/frames.py` by
`python -m sopnb.docs`; edit there. **Bold** columns are the key; `!` marks what a source must bring.
"""


def codebook() -> str:
    """The codebook as Markdown."""
    parts = [HEAD, "\n## What a company hands over\n", *(_table(f) for f in frames.SOURCES.values())]
    parts += ["\n## What the steps write\n", *(_table(f) for f in frames.STEP_TABLES.values())]
    return "".join(parts)


def _table(frame: frames.Frame) -> str:
    lines = [f"\n### `{frame.name}`\n\n{frame.meaning}. Key: {' × '.join(frame.key)}.\n\n| column | kind | unit or meaning |\n|---|---|---|\n"]
    for column in frame.columns:
        name = f"**{column.name}**" if column.name in frame.key else column.name
        lines.append(f"| {name}{' !' if column.required else ''} | {column.kind} | {column.unit} |\n")
    return "".join(lines)


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs" / "codebook.md").write_text(codebook(), encoding="utf-8")
