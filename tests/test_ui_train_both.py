"""One training on two devices or in two data types: started with one press, compared while both go on."""

from __future__ import annotations

import importlib
import time
from typing import Any

import pytest

from explorer.capture.programs import TRAININGS
from explorer.text import TEXTS
from explorer.ui import train_process
from explorer.ui.train_process import Asked
from tests.test_ui_train import a_run, begun, known, page, runs, told  # noqa: F401  # fixtures of that page


def test_both_are_started_and_compared(begun: list[list[str]]) -> None:  # noqa: F811
    """One press starts the same training twice, with the other data type the second time; once both are there they stand over each other,
    and one press asks both."""
    app = page(program="digits")
    beside = next(box for box in app.selectbox if box.label == TEXTS["train.beside"][0])
    assert beside.options == ["nothing", "cpu · float64", "cpu · bfloat16", "cpu · float16"]
    beside.select_index(2).run()
    assert app.button(key="train_start").label == TEXTS["train.start_both"][0]
    app.button(key="train_start").click().run()
    first, second = (command[command.index("train") :] for command in begun)
    assert "--dtype" not in first
    assert second[second.index("--dtype") + 1] == "bfloat16"
    apart = ("digits-1", "digits-2", "--dtype", "bfloat16")
    assert [word for word in first if not word.endswith(apart)] == [word for word in second if not word.endswith(apart)]
    writers = [a_run(runs() / name, alive=True, dtype=dtype) for name, dtype in (("digits-1", "float32"), ("digits-2", "bfloat16"))]
    app.run()
    words = told(app)
    assert "Comparison of 2 runs" in words
    assert "digits-1 · cpu · float32" in words and "digits-2 · cpu · bfloat16" in words
    assert "| steps a second | 10.0 | 10.0 (1.00 ×) |" in words
    assert len(app.get("plotly_chart")) == 2
    app.button(key="train_stop_all").click().run()
    for writer in writers:
        assert '"stop"' in (writer.folder / "requests.jsonl").read_text()
        writer.event("stopped", 5, time.time())
        writer.close()
    app.run()
    assert not [button for button in app.button if button.key in ("train_stop_all", "train_pause_all")]


def test_both_or_none(begun: list[list[str]]) -> None:  # noqa: F811
    """Where only one more may run, neither is started."""
    for _ in range(train_process.MOST_AT_ONCE - 1):
        train_process.start(Asked("moons"))
    app = page(program="digits")
    next(box for box in app.selectbox if box.label == TEXTS["train.beside"][0]).select_index(1).run()
    app.button(key="train_start").click().run()
    assert len(begun) == train_process.MOST_AT_ONCE - 1
    assert len(app.error) == 1


@pytest.mark.torch
@pytest.mark.parametrize("program", ["simple_net", "moons", "digits", "char_gpt"])
def test_programs_begin_alike_in_every_data_type(program: str) -> None:
    """Weights and data are drawn once and then converted: the first loss is the same but for rounding."""
    import torch

    class Run:
        start, folder = 0, None

        def register(self, *_: Any, **__: Any) -> None:
            pass

    example = TRAININGS[program]
    train = vars(importlib.import_module(example.module))[example.callable]
    settings = {**example.settings, **({"layers": 1, "width": 16, "context": 8} if program == "char_gpt" else {}), "steps": 2}
    losses = {
        dtype: float(next(train(run=Run(), dtype=dtype, **settings))["loss"].detach())
        for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16)
    }
    assert losses[torch.float64] == pytest.approx(losses[torch.float32], rel=1e-5)
    assert losses[torch.float16] == pytest.approx(losses[torch.float32], rel=2e-3)
    assert losses[torch.bfloat16] == pytest.approx(losses[torch.float32], rel=2e-2)
