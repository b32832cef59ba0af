#!/bin/bash
# One file by HTTP/3, by a client that is no browser: fetch.sh CLIENT SECONDS HOST NAME, in the lab's client. Prints its exit code (124:
# not there in time), the seconds that it took, and the file's SHA-256; then, if that is no success, its last words.
client=$1 limit=$2 host=$3 name=$4
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
case $client in
  gtlsclient) words=(gtlsclient --quiet --exit-on-all-streams-close --download="$folder" "$host" 443 "https://$host/$name") ;;
  curl) words=(curl --http3-only --silent --show-error --output "$folder/$name" "https://$host/$name") ;;
esac
began=$EPOCHREALTIME
timeout "$limit" "${words[@]}" >"$folder/said" 2>&1
code=$?
ended=$EPOCHREALTIME
hash=none
if [ -f "$folder/$name" ]; then read -r hash _ < <(sha256sum "$folder/$name"); fi
echo "$code $(((${ended/./} - ${began/./}) / 1000))e-3 $hash"
if [ "$code" != 0 ]; then tail -n 2 "$folder/said"; fi
