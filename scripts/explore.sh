#!/bin/sh
# Learns the goals in $GOALS one after another: `goal :: name=kind name=kind; goal :: ...`.
# Usage: explore.sh VOYAGER SEED. A goal that is not learned does not stop the ones after it.
set -u
voyager=$1
seed=$2
missed=0

set -f # goals hold brackets and stars; nothing here is a file pattern
old_ifs=$IFS
IFS=';'
for entry in $GOALS; do
    IFS=$old_ifs
    goal=$(printf '%s' "${entry%%::*}" | tr '\n\t' '  ' | sed 's/^ *//; s/ *$//')
    [ -n "$goal" ] || continue
    parameters=
    case $entry in *::*) parameters=${entry#*::} ;; esac
    set -- "$goal"
    for parameter in $parameters; do
        set -- "$@" --param "$parameter"
    done
    printf '\n== %s\n' "$goal"
    "$voyager" learn "$@" --seed "$seed" || missed=$((missed + 1))
    IFS=';'
done
IFS=$old_ifs

[ "$missed" -eq 0 ] || {
    printf '\n%s of the goals were not learned; see the lines above.\n' "$missed" >&2
    exit 1
}
