"""Where the demo lives: a folder of its own, emptied only if an earlier demo made it."""

from __future__ import annotations

import shutil
from pathlib import Path

from datasette_plugins.demo.serving import DemoError
from forms.problems import Place, Problem

_MARK = "这是演示.txt"
_SAYS = "演示数据：人名、证件号、电话全是编造的，可随时删除。\nInvented people and numbers; delete at will.\n"


def emptied(folder: Path) -> Path:
    """Return `folder`, absolute, made and empty but for our mark; an earlier demo in it is deleted.

    Raises DemoError where something else is in it or it cannot be written; then nothing was touched.
    """
    root = folder.resolve()
    try:
        if root.exists() and any(root.iterdir()):
            if not (root / _MARK).is_file():
                raise DemoError(Problem("PLUGINS_DEMO_FOLDER", Place(file=str(root)), {"folder": root}))
            shutil.rmtree(root)
        root.mkdir(parents=True, exist_ok=True)
        (root / _MARK).write_text(_SAYS, encoding="utf-8")
    except OSError as error:
        context = {"folder": root, "reason": error.strerror or error}
        raise DemoError(Problem("PLUGINS_DEMO_WRITE", Place(file=str(root)), context)) from error
    return root
