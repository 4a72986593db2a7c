"""A picture of a mail, as a mail program shows it: Chromium without a window, from the HTML with its pictures inside."""

from __future__ import annotations

import base64
import email
import email.policy
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

WIDTH, TALLEST = 700, 8000  # pixels: the mail's column of 640 and a margin; longer mails are cut
SECONDS = 60


def program() -> str:
    """The browser's program; '' where there is none."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "")


def picture(eml: Path, out: Path, *, width: int = WIDTH) -> bool:
    """Draw a mail's HTML as a PNG, cut where it ends; False where the browser did not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # its helpers may still write when the browser has ended
        page, drawn = Path(folder) / "mail.html", Path(folder) / "mail.png"
        page.write_text(standing_alone(eml), encoding="utf-8")
        rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # Chromium asks for it where root runs it
        command = [program(), "--headless", "--disable-gpu", "--hide-scrollbars", *rights, f"--user-data-dir={folder}/profile",
                   f"--window-size={width},{TALLEST}", f"--screenshot={drawn}", page.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
        except (OSError, subprocess.SubprocessError):
            return False
        if not drawn.is_file():
            return False
        _cut(drawn, out)
    return True


def standing_alone(eml: Path) -> str:
    """A mail's HTML with its pictures inside: for a picture of it only, since mail programs refuse such addresses."""
    message = email.message_from_bytes(eml.read_bytes(), policy=email.policy.default)
    body = message.get_body(("html",))
    html = body.get_content() if body is not None else ""
    for part in message.walk():
        if part.get_content_maintype() == "image" and part["Content-ID"]:
            inside = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{str(part['Content-ID']).strip('<> ')}", f"data:{part.get_content_type()};base64,{inside}")
    return re.sub(r"(<head[^>]*>)", r'\1<meta charset="utf-8">', html, count=1)


def _cut(drawn: Path, out: Path) -> None:
    """Leave out the empty rest below the mail."""
    import numpy as np
    from PIL import Image  # matplotlib brings it

    with Image.open(drawn) as image:
        rows = np.asarray(image.convert("RGB"))
        filled = np.flatnonzero((rows != rows[-1]).any(axis=(1, 2)))
        bottom = min(int(filled[-1]) + 24, len(rows)) if len(filled) else len(rows)
        temporary = out.with_suffix(".partial.png")
        image.crop((0, 0, image.width, bottom)).save(temporary)
    temporary.replace(out)
