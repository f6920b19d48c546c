"""Writes problems: python numbers.py COUNT [FOLDER]."""

import json
import pathlib
import sys

from beside import SIGN

for number in range(int(sys.argv[1])):
    row = {"question": f"{number} {SIGN} 1?", "reference": str(number + 1)}
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).mkdir(exist_ok=True)
        (pathlib.Path(sys.argv[2]) / f"{number}.json").write_text(json.dumps(row))
    else:
        print(json.dumps(row))
