"""Our papermill engine: this interpreter's own kernel, kept warm between the notebooks of one batch."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines

ENGINE = "gpvar"
CELL_SECONDS = 300
START_SECONDS = 120
_RESET = """
get_ipython().run_line_magic("reset", "-f")
import matplotlib as _m, pandas as _p
_m.rcdefaults(); _p.reset_option("all")
del _m, _p
"""


class _OurKernel(AsyncKernelManager):
    """A kernel started from this interpreter, never looked up by name among those installed on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel there is; its log keeps quiet about the local connection."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=40"]
        return KernelSpec(argv=command, display_name="gpvar", language="python")


class Kernel:
    """A warm kernel for the notebooks of one batch, in a folder of its own that goes when it does.

    Examples
    --------
    ``with Kernel() as kernel: notebook = execute(path, {"run": "..."}, kernel)``
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gpvar-kernel-"))
        self._manager: _OurKernel | None = None

    def __enter__(self) -> Kernel:
        """Return itself; the kernel starts with the first notebook."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the kernel and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def manager(self) -> _OurKernel:
        """Return the manager of the running kernel, or of one still to be started."""
        if self._manager is None:
            self._manager = _OurKernel(connection_file=str(self.folder / "kernel.json"))
        return self._manager

    def stop(self) -> None:
        """Stop the kernel, so that the next notebook starts a fresh one."""
        from jupyter_core.utils import run_sync

        manager, self._manager = self._manager, None
        if manager is not None and manager.has_kernel:
            run_sync(manager.shutdown_kernel)(now=True)
            manager.cleanup_connection_file()

    def environment(self) -> dict[str, str]:
        """Return the kernel's environment: this gpvar, no window, nothing of the user's own start-up files."""
        package = str(Path(__file__).resolve().parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        quiet = {
            "MPLBACKEND": "agg",
            "PYTHONUTF8": "1",
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **quiet}


class WarmEngine(Engine):
    """Run a notebook on the batch's kernel and leave the kernel clean for the next one."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Execute one notebook (papermill's interface)."""
        kernel: Kernel = options["kernel"]
        client = PapermillNotebookClient(
            nb_man,
            km=kernel.manager(),
            timeout=CELL_SECONDS,
            startup_timeout=START_SECONDS,
            kernel_name=kernel_name,
            resources={"metadata": {"path": str(kernel.folder)}},
        )
        try:
            done = client.execute(env=kernel.environment())
            client.wait_for_reply(client.kc.execute(_RESET, silent=True))
            return done
        finally:
            if client.kc is not None:
                client.kc.stop_channels()


def register() -> None:
    """Make the engine known to papermill; registering twice is harmless."""
    papermill_engines.register(ENGINE, WarmEngine)
