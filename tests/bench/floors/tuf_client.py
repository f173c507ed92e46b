"""Peer of a sync with news: python-tuf's own client, as its guide shows it.

Arguments: URL, its folder (with the metadata of last time), trusted root, then the targets it wants.
"""

import sys

from tuf.ngclient import Updater

url, folder, root, *targets = sys.argv[1:]
with open(root, "rb") as file:
    bootstrap = file.read()
updater = Updater(
    metadata_dir=f"{folder}/metadata",
    metadata_base_url=f"{url}metadata/",
    target_dir=f"{folder}/targets",
    target_base_url=f"{url}targets/",
    bootstrap=bootstrap,
)
updater.refresh()
for name in targets:
    found = updater.get_targetinfo(name)
    if found is None:
        sys.exit(f"no target {name}")
    if updater.find_cached_target(found) is None:
        updater.download_target(found)
