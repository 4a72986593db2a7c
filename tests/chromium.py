"""A real Chromium, driven through a pipe: pages measured at any width, in light and dark, as pictures and on paper.

    with chromium.browser(folder) as look:
        look.open(page, width=390, height=800, dark=True)
        look.evaluate("document.documentElement.scrollWidth")

No library: the DevTools protocol is JSON, each message ended by a NUL, on two pipes that the browser inherits.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium on this machine"
PATIENCE = 60  # seconds for one answer: the machine may be busy


class Browser:
    """One tab of a browser that runs. `evaluate` runs in the tab; `call` is any command of the protocol."""

    def __init__(self, to: int, answers: int):
        self._to, self._answers, self._rest, self._id = to, answers, b"", 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; events in between are passed over."""
        self._id += 1
        sent = {"id": self._id, "method": method, "params": params} | ({"sessionId": self._session} if self._session else {})
        os.write(self._to, json.dumps(sent).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._id:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as ready:
            ready.register(self._answers, selectors.EVENT_READ)
            while b"\0" not in self._rest:
                assert ready.select(max(end - time.monotonic(), 0)), "the browser does not answer"
                read = os.read(self._answers, 1 << 20)
                assert read, "the browser has gone"
                self._rest += read
        said, self._rest = self._rest.split(b"\0", 1)
        return json.loads(said)

    def open(self, page: Path, *, width: int, height: int = 900, dark: bool = False, scripts: bool = False) -> None:
        """Show a file in a window of a size. scripts: let ours run beside a policy that allows the page none."""
        self.call("Page.setBypassCSP", enabled=scripts)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=page.as_uri())
        for _ in range(200):
            if self.evaluate("document.readyState === 'complete' && location.href !== 'about:blank'"):
                return
            time.sleep(0.05)
        raise AssertionError(f"{page} did not load")

    def evaluate(self, code: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        said = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def picture(self, out: Path) -> Path:
        """The whole page as PNG."""
        size = self.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        out.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]))
        return out

    def paper(self, out: Path) -> Path:
        """The page as a printer gets it: on the paper that its style sheet asks for."""
        out.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]))
        return out


# The protocol wants its pipes as files 3 and 4, which may be taken here: a program of its own puts them there.
_TAKE = """
import os, sys
ours = [os.dup(int(number)) for number in sys.argv[1:3]]
for place, pipe in zip((3, 4), ours):
    os.dup2(pipe, place)
    os.set_inheritable(place, True)  # also where it stood there before
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own in `folder`; it ends with the block."""
    assert PROGRAM, MISSING
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()

    running = subprocess.Popen(
        [sys.executable, "-I", "-c", _TAKE, str(to_read), str(from_write), PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(to_read, from_write))
    os.close(to_read)
    os.close(from_write)
    try:
        yield Browser(to_write, from_read)
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        os.close(to_write)
        os.close(from_read)
