"""A training run on disk: written by one process a rank, read by any number of others, none of which waits for another.

    run.json          what was run and with which settings; the name and the tags may be changed later
    rank-0.sqlite     one file a rank (WAL): see explorer.runs.storing
    rank-0.tail       the steps of the last moment: see explorer.runs.tail
    rank-0.lock       held by the process that writes, as long as it lives
    traces/           recordings of single steps, 12.trace that of step 12
    checkpoint-12/    weights, optimizer and random state after step 12: see explorer.capture.checkpoints
    requests.jsonl    what somebody asks of the process that trains: see explorer.runs.requests
    agreed.jsonl      of several processes: after which step they do what was asked

A step is stored before the next one begins, so that killing the writer loses at most the step in flight. Nothing that reads a folder runs
code from it, and a folder that is damaged or means harm gets one sentence.
"""

from __future__ import annotations

from explorer.runs.comparing import Difference, differences
from explorer.runs.folder import About, delete, is_run, list_folders, read_about, rename, restore, start_folder
from explorer.runs.reading import Run, list_runs, open_run
from explorer.runs.records import Distribution, Event, Local, Measures, Parameter, Recorded, Scalars, Status
from explorer.runs.requests import KINDS, Requests, request
from explorer.runs.storing import Writer

__all__ = [
    "KINDS",
    "About",
    "Difference",
    "Distribution",
    "Event",
    "Local",
    "Measures",
    "Parameter",
    "Recorded",
    "Requests",
    "Run",
    "Scalars",
    "Status",
    "Writer",
    "delete",
    "differences",
    "is_run",
    "list_folders",
    "list_runs",
    "open_run",
    "read_about",
    "rename",
    "request",
    "restore",
    "start_folder",
]
