"""The workers of a run: hands out jobs, gathers what they say."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from netwright.train.job import Job


class Pool:
    """`workers` processes of `threads` threads each; use as a context manager, so that none outlives the run."""

    def __init__(self, workers: int, threads: int, log: Path):
        self.workers = workers
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log_path = log
        self._log = log.open("ab")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self._said: queue.Queue[tuple[int, dict | None]] = queue.Queue()
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "netwright.train.worker", str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env=environment,
            )
            for _ in range(workers)
        ]
        for number in range(workers):
            threading.Thread(target=self._listen, args=(number,), daemon=True).start()
        self._idle = list(range(workers))

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_) -> None:
        for process in self._processes:
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        for process in self._processes:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        self._log.close()

    def _listen(self, number: int) -> None:
        stdout = self._processes[number].stdout
        assert stdout is not None
        with contextlib.suppress(ValueError):  # closed at the end of the run
            for line in stdout:
                self._said.put((number, json.loads(line)))
        self._said.put((number, None))

    def _send(self, number: int, message: dict) -> None:
        stdin = self._processes[number].stdin
        assert stdin is not None
        with contextlib.suppress(OSError):
            stdin.write(json.dumps(message) + "\n")
            stdin.flush()

    def run(
        self,
        do: str,
        jobs: list[Job],
        on_progress: Callable[[str, dict], None] = lambda name, event: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> dict[str, dict]:
        """Do all jobs ("train" or "measure"), the results by name. After `stop` no new job is begun."""
        waiting = list(jobs)
        running: dict[int, str] = {}  # worker → job
        results: dict[str, dict] = {}
        asked = False
        while running or (waiting and not asked):
            if stop() and not asked:
                asked = True
                for number in range(self.workers):
                    self._send(number, {"do": "stop"})
            while waiting and self._idle and not asked:
                number, job = self._idle.pop(0), waiting.pop(0)
                running[number] = job.name
                self._send(number, {"do": do, "job": job.to_json()})
            if not running:
                if waiting and not self._idle:
                    raise RuntimeError(f"all workers died; their last words are in {self._log_path}")
                continue
            try:
                number, message = self._said.get(timeout=0.2)
            except queue.Empty:
                continue
            if message is None:  # the process is gone
                if number in running:
                    name = running.pop(number)
                    code = self._processes[number].wait()
                    results[name] = {
                        "name": name,
                        "reason": "failed",
                        "score": None,
                        "error": f"its process ended ({code})",
                    }
                elif number in self._idle:
                    self._idle.remove(number)
            elif message["kind"] == "progress":
                on_progress(message["name"], message)
            else:
                results[running.pop(number)] = message
                self._idle.append(number)
        return results
