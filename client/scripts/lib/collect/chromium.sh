#!/bin/sh
# Chromium for fetch_websites.ts: as a user without rights where one is named, and never longer than its starter.
if [ -n "$COMPS_UID" ]; then
  set -- --reuid "$COMPS_UID" --regid "$COMPS_GID" --clear-groups -- "${COMPS_CHROMIUM:-chromium}" "$@"
else
  set -- -- "${COMPS_CHROMIUM:-chromium}" "$@"
fi
exec setpriv --pdeathsig KILL "$@"
