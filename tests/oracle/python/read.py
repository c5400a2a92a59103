"""Updates and downloads one target with python-tuf's client.

usage: read.py URL ROOT FOLDER TARGET
"""

import sys
from pathlib import Path

from tuf.ngclient import Updater


def main() -> None:
    url, root, folder, target = sys.argv[1:]
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
    info = updater.get_targetinfo(target)
    if info is None:
        sys.exit(f"{target} is not listed")
    print(updater.download_target(info))


main()
