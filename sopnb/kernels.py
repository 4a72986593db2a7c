"""Where a step runs: a fresh kernel driven by Papermill, or this interpreter for a backfill without pages.

The engine is ours for four reasons: the kernel is warmed while the step before it runs; it talks over local sockets,
not TCP ports; a deadline stops it; and a step counts as done only when every code cell was executed without error
(Papermill calls `sys.exit(0)` in a cell a success, and marks the cells of a killed kernel completed).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sopnb import lean, redact, steps

WARM = "import pandas, pyarrow.parquet, yaml, pydantic, jinja2, babel, matplotlib.figure, matplotlib.backends.backend_svg"


class Stopped(SystemExit):
    """The run was told to stop from outside. It is no cell's doing: nothing but the door may take it for an end."""


@dataclass(eq=False)
class StepFailed(Exception):
    """A step did not finish: where, why, and what to do."""

    notebook: str
    cell: int
    error: str
    message: str
    remedy: str
    kind: str = "cell"  # cell, deadline or kernel
    trace: str = field(default="", repr=False)

    def __str__(self) -> str:
        where = f"{self.notebook}, cell {self.cell}" if self.cell else self.notebook
        return f"{where}: {self.error}: {self.message.rstrip('.')}. {self.remedy}".strip()


class Kernel:
    """A kernel of this very interpreter, started and warmed, on local sockets where the platform has them."""

    def __init__(self, environment: dict[str, str], cwd: Path):
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        logging.getLogger("traitlets").setLevel(logging.ERROR)
        self.folder = tempfile.mkdtemp(prefix="sopnb-")
        local = {"transport": "ipc", "ip": f"{self.folder}/k"} if os.name == "posix" else {}
        self.manager = AsyncKernelManager(kernel_name="python3", connection_file=f"{self.folder}/kernel.json", **local)
        # The registered python3 kernel may belong to another environment: start this interpreter.
        self.manager._kernel_spec = KernelSpec(
            argv=[sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="sopnb", language="python")
        arguments = ["--HistoryManager.hist_file=:memory:", f"--IPKernelApp.exec_lines={WARM}"]
        try:
            run_sync(self.manager.start_kernel)(extra_arguments=arguments, cwd=str(cwd), env={**os.environ, **environment})
        except BaseException:  # a stop from outside, too: a kernel that is half started must not stay behind
            self.stop()
            raise

    def stop(self) -> None:
        """End the kernel at once, whatever it is doing, and clear its files. Safe to call twice.

        A kernel whose runner was killed has nobody to call this: it looks every second whether its parent still lives.
        """
        from jupyter_core.utils import run_sync

        self.kill()
        try:
            if self.manager.has_kernel:
                run_sync(self.manager.shutdown_kernel)(now=True)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the kernel's process and all it started; any thread may ask for it."""
        pid = getattr(self.manager.provisioner, "pid", None)
        if not pid:
            return
        with contextlib.suppress(OSError):  # gone already
            if os.name == "posix":
                os.killpg(pid, signal.SIGKILL)  # a kernel leads a process group of its own
            else:
                os.kill(pid, signal.SIGTERM)


def run_notebook(notebook: Path, out: Path, given: dict[str, Any], kernel: Kernel, *, cwd: Path, seconds: float) -> None:
    """Run a notebook with parameters in a kernel; save the executed notebook.

    raises   StepFailed
    """
    lean.nbformat()
    import papermill
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

    held: dict[str, Any] = {}

    class KernelEngine(Engine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> None:
            held["nb"] = nb_man.nb
            client = PapermillNotebookClient(nb_man, km=kernel.manager, timeout=None, startup_timeout=120, kernel_name=kernel_name)
            client.execute(cleanup_kc=False)

    papermill_engines.register("sopnb", KernelEngine)
    late = threading.Event()

    def expire() -> None:
        late.set()
        kernel.kill()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        done = papermill.execute_notebook(
            str(notebook), str(out), parameters=given, engine_name="sopnb", progress_bar=False, cwd=str(cwd),
            request_save_on_cell_execute=False, autosave_cell_every=0, kernel_name="python3",  # nothing half done, nothing unread, on disk
        )
    except PapermillExecutionError as error:
        raise _cell_failed(notebook, held.get("nb"), error.ename, error.evalue, list(error.traceback)) from None
    except Exception as error:  # nbclient: DeadKernelError, CellTimeoutError; all mean that the step did not finish
        cell = _reached(held.get("nb"))
        if late.is_set():
            raise StepFailed(notebook.name, cell, "Deadline", f"the step took longer than {seconds:,.0f} s.",
                             "Raise run.step_seconds in the params file, or look at what this cell waits for.", "deadline") from None
        raise StepFailed(notebook.name, cell, type(error).__name__, "the kernel died: out of memory, or killed.",
                         "Look at the machine's memory, then run again: finished steps are kept.", "kernel", redact.text(str(error))) from None
    finally:
        timer.cancel()
    _all_executed(notebook, done)


def _all_executed(notebook: Path, done: Any) -> None:
    """Every code cell must have been executed, without error: the engine's word is not enough."""
    for number, cell in enumerate((c for c in done.cells if c.cell_type == "code" and c.source.strip()), start=1):
        errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if errors:
            raise _cell_failed(notebook, done, errors[0].ename, errors[0].evalue, errors[0].traceback)
        if cell.get("execution_count") is None:
            raise StepFailed(notebook.name, number - 1, "NotExecuted", "the notebook stopped before this cell.",
                             "A cell must not end the kernel (sys.exit); take that call out.")


def _cell_failed(notebook: Path, done: Any, error: str, message: str, trace: list[str]) -> StepFailed:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(trace))
    return StepFailed(notebook.name, _reached(done), error, redact.text(message), remedy(error, notebook.name, message), trace=redact.text(plain))


def _reached(done: Any) -> int:
    """Number of the code cell that failed, or that was running: the last one touched."""
    if done is None:
        return 0
    number, reached = 0, 0
    for cell in done.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        number += "injected-parameters" not in cell.metadata.get("tags", [])  # counted as in the stored notebook
        state = cell.metadata.get("papermill", {})
        if state.get("exception") or any(o.output_type == "error" for o in cell.get("outputs", [])):
            return number
        if state.get("start_time"):
            reached = number
    return reached


UNWRITABLE = {
    "No space left on device": "The disk is full: free some space, then run again; finished steps are kept.",
    "Disk quota exceeded": "The disk quota is used up: free some space, then run again; finished steps are kept.",
    "Read-only file system": "The folder of the reports cannot be written: mount it for writing, then run again.",
    "Permission denied": "Give this user the right to read the sources and to write reports/, then run again.",
}


def remedy(error: str, notebook: str, message: str = "") -> str:
    """What to do about a kind of error.

    >>> remedy("OSError", "02_demand.ipynb", "[Errno 28] No space left on device")
    'The disk is full: free some space, then run again; finished steps are kept.'
    """
    for words, what in UNWRITABLE.items():
        if words in message:
            return what
    known = {
        "NotRunYet": "Run the earlier steps first.",
        "FrameError": "A table is not what its frame says: mend the input row named, or report the step.",
        "Problems": "Mend what is listed, then run again.",
        "MemoryError": "The machine's memory was too small; run fewer series or a larger machine.",
        "ModuleNotFoundError": "Install what is missing: `make install`.",
        "SystemExit": "A cell must not end the kernel; take sys.exit out.",
    }
    return known.get(error, f"Open notebooks/{notebook} in JupyterLab (`make lab`), run it to that cell, and look; finished steps are kept.")


def run_here(notebook: Path, given: dict[str, Any], environment: dict[str, str], *, cwd: Path) -> None:
    """Run a notebook's code cells in this interpreter: no kernel, no outputs, the same tables.

    raises   StepFailed; what stops the run from outside (Stopped) passes through
    """
    content = steps.read_notebook(notebook)
    before, here = dict(os.environ), Path.cwd()
    space: dict[str, Any] = {"__name__": "__main__"}
    os.environ.update(environment)
    os.chdir(cwd)
    try:
        for number, cell in enumerate(steps.code_cells(content), start=1):
            try:
                with contextlib.redirect_stdout(redact.Stream(sys.stdout)), contextlib.redirect_stderr(redact.Stream(sys.stderr)):
                    exec(compile(steps.source(cell), f"{notebook.name}, cell {number}", "exec"), space)
            except Stopped:
                raise
            except (Exception, SystemExit) as error:
                import traceback

                raise StepFailed(notebook.name, number, type(error).__name__, redact.text(str(error)),
                                 remedy(type(error).__name__, notebook.name, str(error)), trace=redact.text(traceback.format_exc())) from error
            if "parameters" in cell.get("metadata", {}).get("tags", []):
                space.update({name: value for name, value in given.items()})
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
