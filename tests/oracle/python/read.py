"""Updates and downloads targets with python-tuf's client; prints where each is.

usage: read.py URL ROOT FOLDER TARGET...
"""

import sys
from pathlib import Path

from tuf.ngclient import Updater


def main() -> None:
    url, root, folder, *names = sys.argv[1:]
    metadata, targets = Path(folder) / "metadata", Path(folder) / "targets"
    metadata.mkdir(parents=True)
    targets.mkdir()
    updater = Updater(
        str(metadata),
        f"{url}/metadata/",
        str(targets),
        f"{url}/targets/",
        bootstrap=Path(root).read_bytes(),
    )
    updater.refresh()
    for name in names:
        info = updater.get_targetinfo(name)
        if info is None:
            sys.exit(f"{name} is not listed")
        print(updater.download_target(info))


main()
