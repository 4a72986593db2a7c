"""JupyterLab as `make lab` starts it: it answers, shows the notebooks, and Run All works on one of them through its own kernel door."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest

PROJECT = Path(__file__).parent.parent
TOKEN = "only-for-this-test"
pytestmark = pytest.mark.slow


def lab_words() -> list[str]:
    """What `make lab` says to jupyter, from the Makefile itself."""
    line = next(line for line in (PROJECT / "Makefile").read_text(encoding="utf-8").splitlines() if "jupyter lab" in line and "$(BIN)" in line)
    return line.split("jupyter lab", 1)[1].split()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A running lab on loopback in a copy of the project; stopped at the end."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "params"):
        shutil.copytree(PROJECT / name, folder / name)
    from sopnb import demo

    demo.generate(folder / "data" / "demo", cycles=["2026-10"], items=12)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    home = {name: str(folder / ".jupyter" / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR")}
    theme = Path(home["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension", "themes.jupyterlab-settings")
    theme.parent.mkdir(parents=True)
    theme.write_text('{"theme": "JupyterLab Dark"}', encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *lab_words(), "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True",
         *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])],
        cwd=folder, env={**os.environ, **home}, stdout=subprocess.DEVNULL, stderr=(folder / "lab.log").open("w"), start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                ask(address, "/api/status")
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert running.poll() is None, (folder / "lab.log").read_text()[-1500:]
                time.sleep(0.5)
        else:
            raise AssertionError("the lab does not answer: " + (folder / "lab.log").read_text()[-1500:])
        yield address, folder
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def ask(address: str, path: str, data: dict | None = None, method: str = "") -> bytes:
    request = urllib.request.Request(address + path, method=method or ("POST" if data is not None else "GET"), data=None if data is None else json.dumps(data).encode(),
                                     headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_the_lab_opens_on_the_notebooks_with_a_kernel_for_them(lab):
    address, _ = lab
    assert b"JupyterLab" in ask(address, "/lab/tree/notebooks/01_collect.ipynb")
    listed = {one["name"] for one in json.loads(ask(address, "/api/contents/notebooks"))["content"]}
    assert {"01_collect.ipynb", "02_demand.ipynb", "03_supply.ipynb", "04_kpis.ipynb", "05_meeting.ipynb", "06_recap.ipynb"} <= listed
    stored = json.loads(ask(address, "/api/contents/notebooks/01_collect.ipynb"))["content"]
    kernels = json.loads(ask(address, "/api/kernelspecs"))["kernelspecs"]
    assert stored["metadata"]["kernelspec"]["name"] in kernels
    assert all(not cell.get("outputs") for cell in stored["cells"])


def test_run_all_works_without_edits_in_a_kernel_of_the_lab(lab):
    """The cells as the lab hands them out, in a kernel that the lab starts, one after the other, as Run All does."""
    address, folder = lab
    session = json.loads(ask(address, "/api/sessions", {"path": "notebooks/01_collect.ipynb", "type": "notebook", "name": "01_collect.ipynb", "kernel": {"name": "python3"}}))
    cells = json.loads(ask(address, "/api/contents/notebooks/01_collect.ipynb"))["content"]["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(folder / ".jupyter" / "JUPYTER_RUNTIME_DIR" / f"kernel-{session['kernel']['id']}.json"))
    client.load_connection_file()
    client.start_channels()
    try:
        for attempt in range(30):  # a kernel that is still starting has no heartbeat, which the client takes for dead
            try:
                client.wait_for_ready(timeout=60)
                break
            except RuntimeError:
                assert attempt < 29, "the lab's kernel does not start"
                time.sleep(1)
        shown = []
        for one in code:
            said = client.execute_interactive(one, timeout=300, output_hook=shown.append)["content"]
            assert said["status"] == "ok", f"{one}\n{said.get('ename')}: {said.get('evalue')}"
    finally:
        client.stop_channels()
        ask(address, f"/api/sessions/{session['id']}", method="DELETE")
    html = " ".join(message["content"]["data"].get("text/html", "") for message in shown if message["msg_type"] in ("execute_result", "display_data"))
    assert "<table" in html and "DRAFT" in html and re.search(r'<p class="say">', html)
    assert (folder / "reports/demo/.draft/2026-10/tables/history.parquet").is_file()


# --- as people meet it ----------------------------------------------------------------------------------------------

BOOK = "window.jupyterapp.shell.currentWidget"
CELLS = f"[...{BOOK}.content.model.cells].filter(c => c.type === 'code')"
_PALE = """(() => {
  const number = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const ground = light(number(getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor)), pale = [];
  let looked = 0;
  for (const e of document.querySelectorAll('.jp-OutputArea-output .jp-RenderedHTMLCommon *, .jp-OutputArea-output.jp-RenderedHTMLCommon *')) {
    const said = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
    if (!/[\\p{L}\\p{N}]/u.test(said) || e.tagName === 'STYLE' || !e.checkVisibility()) continue;
    looked += 1;
    const own = light(number(e.ownerSVGElement ? getComputedStyle(e).fill : getComputedStyle(e).color));
    const ratio = (Math.max(own, ground) + .05) / (Math.min(own, ground) + .05);
    if (ratio < 4.5) pale.push(ratio.toFixed(1) + ' ' + said.slice(0, 40));
  }
  return {looked, pale};
})()"""


def until(look: chromium.Browser, what: str, seconds: float = 120) -> None:
    """Wait for an expression of the page to be true."""
    end = time.monotonic() + seconds
    while not look.evaluate(f"(() => {{ try {{ return Boolean({what}) }} catch (e) {{ return false }} }})()"):
        assert time.monotonic() < end, what
        time.sleep(0.3)


def run_all(look: chromium.Browser, change: tuple[str, str] | None = None) -> list[dict]:
    """Run All as its menu does, after a change of a cell's text; the errors that then stand under cells."""
    if change:
        look.evaluate(f"{CELLS}.forEach(c => c.sharedModel.setSource(c.sharedModel.getSource().replace({json.dumps(change[0])}, {json.dumps(change[1])}))), 0")
    look.evaluate("(window.ended = false, jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ended = true }), 0)")
    until(look, "window.ended", 240)
    return look.evaluate(f"{CELLS}.flatMap(c => c.outputs.toJSON()).filter(o => o.output_type === 'error')")


@pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)
def test_run_all_in_a_browser_in_the_dark_theme(lab, tmp_path):
    """Nothing fails, headings give the contents, every word shown stands out from the dark ground; a slip of the pen is told in a line."""
    address, _ = lab
    with chromium.browser(tmp_path) as look:
        look.call("Page.navigate", url=f"{address}/lab/tree/notebooks/01_collect.ipynb?token={TOKEN}&reset")
        until(look, f"{BOOK}.context.isReady && {BOOK}.sessionContext.session.kernel.status === 'idle'")
        assert run_all(look) == []
        until(look, "document.body.dataset.jpThemeLight === 'false'")
        said = look.evaluate(_PALE)
        assert said["looked"] > 40 and said["pale"] == []
        look.evaluate("jupyterapp.commands.execute('toc:show-panel').then(() => 0)")
        until(look, "document.querySelectorAll('.jp-TableOfContents .jp-tocItem').length > 6")
        wrong = run_all(look, ('cycle_month: str = ""', 'cycle_month: str = "2026-13"'))
        assert [one["traceback"] for one in wrong[:1]] == [["cycle_month: '2026-13' is not a month. Allowed: YYYY-MM, as 2026-10."]]
