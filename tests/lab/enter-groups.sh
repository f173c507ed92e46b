#!/bin/sh
# enter-groups.sh DOOR… -- COMMAND…: joins control groups (each DOOR is a cgroup.procs file), then becomes the command.
set -eu
while [ "$1" != -- ]; do
    echo 0 >"$1"
    shift
done
shift
exec "$@"
