"""Peer of a sync with nothing new: import requests, one conditional GET. Arguments: URL, CA file, ETag."""

import sys

import requests

url, ca, tag = sys.argv[1:]
answer = requests.get(url, headers={"If-None-Match": tag}, verify=ca, timeout=30)
sys.exit(answer.status_code != 304)
