"""The part of the Train page about ranks: who is slow, who has ended, who is silent, who has not begun, and gradients before averaging."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import RequestError
from explorer.runs import About, Writer, delete, open_run, start_folder
from explorer.text import LANGUAGES, TEXTS
from explorer.ui.train_ranks import averaged, copies, standing
from tests.test_ui_train import CREATED, known, page, runs, told  # noqa: F401  # `known` is for every test here

NAMES = [("layers.0.weight", (2, 2)), ("layers.0.bias", (2,))]
MINUTE = 60.0


def ranks_of(folder: Path, count: int = 2, *, asked: int = 2, copies: int = 2, steps: int = 30) -> list[Writer]:
    """A run of several processes, all of them alive; the second one is slow, so that the first waits for it."""
    start_folder(folder, About(folder.name, ranks=asked, parameters=6, steps=100, created=CREATED))
    writers = []
    for rank in range(count):
        writer = Writer(folder, rank=rank, parameters=NAMES)
        writer.event("started", 0, time.time(), copies=copies)
        for step in range(1, steps + 1):
            measured = np.array([3.0, 4.0] * 3, dtype="<f4").tobytes()
            local = np.array([0.08 if rank == 0 else 0.01, 5.0 + rank, 6.0], dtype="<f4").tobytes()
            writer.step(step, step * 0.1, {"loss": 1.0 / step + rank}, measured, local)
        writers.append(writer)
    return writers


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_slow_rank_is_named(language: str) -> None:
    """Its own work is what is left of a step without the waiting; each rank has a curve and a row; parameters have their names."""
    writers = ranks_of(runs() / "two")
    app = page(run="two", lang=language)
    column = LANGUAGES.index(language)
    assert f"#### {TEXTS['train.ranks'][column]}" in told(app).splitlines()
    assert TEXTS["train.ranks_slowest"][column].format(rank=1, own="90.0 ms", waited="80.0 ms") in told(app)
    assert "| 0 | " in told(app) and "| 100.0 ms | 20.0 ms | 80.0 ms |" in told(app)
    assert len(app.get("plotly_chart")) == 1 + 3 + 2  # loss; loss, time and gradients by rank; layers × steps, update to weight
    choice = app.selectbox(key=f"train_ranks_parameter_two_{language}")
    assert choice.options[1:] == ["layers.0.weight", "layers.0.bias"]
    choice.select_index(1).run()
    assert not app.exception
    for writer in writers:
        writer.close()


def test_ranks_that_ended_are_silent_or_have_not_begun() -> None:
    """One is gone without a word, one writes no more, one was never there; a run of which any rank is alive is not deleted."""
    folder = runs() / "four"
    writers = ranks_of(folder, 3, asked=4)
    writers[1].close()
    for file in folder.glob("rank-2.*"):
        os.utime(file, (time.time() - 2 * MINUTE,) * 2)
    words = told(page(run="four"))
    assert TEXTS["train.ranks_died"][0].format(ranks="1") in words
    assert "Rank 2 has written nothing for 2 min" in words
    assert TEXTS["train.ranks_absent"][0].format(ranks="3") in words
    assert "Rank 0" not in words
    assert [(one.number, one.silent is not None) for one in standing(folder, open_run(folder))] == [
        (0, False),
        (1, False),
        (2, True),
        (3, False),
    ]
    writers[0].close()
    with pytest.raises(RequestError):
        delete(folder)
    writers[2].close()
    delete(folder)


@pytest.mark.parametrize(("held_by", "whole"), [(2, [3.0, 4.0]), (1, [3.0 * 2**0.5, 4.0 * 2**0.5])])
def test_the_average_is_put_together_from_its_parts(held_by: int, whole: list[float], tmp_path: Path) -> None:
    """Where all hold the whole, its norm is that of any; where each holds a part, the squares of all add up."""
    writers = ranks_of(tmp_path / "two", copies=held_by)
    run = open_run(tmp_path / "two")
    steps, norms = averaged({rank: run.measures(rank=rank) for rank in run.ranks}, copies(run, 2))
    assert steps.tolist() == list(range(1, 31))
    assert norms[7].tolist() == pytest.approx(whole)
    local = run.local(rank=1)
    assert local.steps.tolist() == steps.tolist()
    assert (local.waited[3], local.gradient[3].tolist()) == (pytest.approx(0.01), [6.0, 6.0])
    for writer in writers:
        writer.close()
    assert open_run(tmp_path / "two").local(since=28).steps.tolist() == [29, 30]


def test_a_run_of_one_process_has_no_ranks() -> None:
    """The page says nothing of them."""
    (writer,) = ranks_of(runs() / "one", 1, asked=1)
    writer.event("finished", 30, time.time())
    writer.close()
    assert f"#### {TEXTS['train.ranks'][0]}" not in told(page(run="one")).splitlines()
