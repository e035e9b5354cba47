"""The page's server, for tests that talk to it as a browser or a program does."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent


class Server:
    """``python app.py`` in a process of its own, over its own copy of the seeds."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.corpus, self.store = folder / "corpus", folder / "store"
        if not self.corpus.exists():
            shutil.copytree(ROOT / "seeds", self.corpus)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(ROOT / "app.py"), f"--corpus={self.corpus}", f"--store={self.store}"]
        self.log = (folder / "log").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*command, f"--port={port}", *options],
            cwd=folder,
            env=clean_environment(),
            stdout=self.log,
            stderr=self.log,
        )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output()
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the page didn't come up within 90 s: {self.output()}")

    def stop(self) -> str:
        self.process.terminate()
        self.process.wait(10)
        return self.output()

    def output(self) -> str:
        """What it has printed."""
        self.log.seek(0)
        return self.log.read()


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
