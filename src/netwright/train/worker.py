"""A process that does training jobs: a line of JSON in, lines of JSON out.

Candidates of usual size run faster on one core each than one after the other on all cores, so the competition
runs in as many workers as there are cores. A worker that crashes takes only its candidate with it.
"""

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import traceback


def main() -> None:
    # The protocol keeps standard output for itself; anything else that is printed goes to the log.
    protocol = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    # Ctrl-C reaches the whole group: the parent decides, and asks the workers to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    import torch

    from netwright.train import job as jobs

    torch.set_num_threads(int(sys.argv[1]))
    requests: queue.Queue = queue.Queue()
    stop = threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "stop":
                stop.set()
            else:
                requests.put(request)
        os._exit(0)  # the parent is gone

    threading.Thread(target=listen, daemon=True).start()

    def answer(kind: str, name: str, content: dict) -> None:
        with contextlib.suppress(BrokenPipeError):
            protocol.write(json.dumps({"kind": kind, "name": name, **content}) + "\n")

    while True:
        request = requests.get()
        job = jobs.Job(**request["job"])
        try:
            if request["do"] == "measure":
                answer("result", job.name, jobs.measure(job))
            else:
                report = lambda event, name=job.name: answer("progress", name, event)  # noqa: E731
                answer("result", job.name, jobs.run(job, stop.is_set, report))
        except Exception as error:
            traceback.print_exc()
            answer(
                "result",
                job.name,
                {"reason": "failed", "error": f"{type(error).__name__}: {error}", "score": None},
            )


if __name__ == "__main__":
    main()
