"""What the workbench answers to the examples of the Tensors page: `python tests/tensors.py --write` records it anew.

The page opens with an example before torch is loaded, so the answers ship as data; a test holds them to fresh ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer.capture.recipe_text import read, written
from explorer.capture.workbench import ask
from explorer.files import assets_folder
from explorer.ui.tensors_view import SAMPLES

ANSWERS = assets_folder() / "tensors" / "answers.json"


def answers() -> dict[str, Any]:
    """Recipe as text -> what torch and NumPy make of it now."""
    return {written(read(text)): ask(read(text)) for text in SAMPLES.values()}


def main() -> None:
    """Write them down, or say whether they are still so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="record them anew")
    now = json.dumps(answers(), ensure_ascii=False, separators=(",", ":")).replace("},{", "},\n{") + "\n"
    if parser.parse_args().write:
        ANSWERS.write_text(now, encoding="utf-8")
    elif ANSWERS.read_text(encoding="utf-8") != now:
        sys.exit("The recorded answers are not those of now: python tests/tensors.py --write")


if __name__ == "__main__":
    main()
