"""What the commands print, as the shell sees it."""

import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "netwright"]


@pytest.mark.parametrize("format", ["human", "json"])
def test_a_reader_that_stops_early_is_no_error(format):
    """`netwright … | head`: no complaint, and the exit code of a tool that SIGPIPE ended."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        command = [*COMMAND, "list", "blocks", "--format", format]
        run = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (run.returncode, run.stderr) == (141, b"")


def test_a_design_file_is_shown_as_it_is_written(tmp_path):
    file = tmp_path / "design.yaml"
    file.write_text("netwright: 1\ninputs: {num_features: 4, num_classes: 3}\nmodel:\n  mlp: {dim: 64, depth: 2}\n")
    shown = subprocess.run([*COMMAND, "show", str(file)], capture_output=True, text=True, check=True).stdout
    assert "  mlp:\n    dim: 64\n" in shown
    assert "{" not in shown.split("reasons")[0]
