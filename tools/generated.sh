#!/bin/sh
# generated.sh PATH… fails if `make generate` changes one of the paths. It
# compares with the files that lie there, not with the last commit, so that it
# also tells the truth while one works.
set -eu

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
for path; do
	mkdir -p "$before/$(dirname "$path")"
	if [ -e "$path" ]; then cp -R "$path" "$before/$path"; fi
done

${MAKE:-make} --no-print-directory generate

stale=
for path; do
	if [ ! -e "$before/$path" ] && [ ! -e "$path" ]; then continue; fi
	if [ ! -e "$before/$path" ]; then
		stale="$stale $path"
	elif ! git --no-pager diff --no-index --exit-code "$before/$path" "$path"; then
		stale="$stale $path"
	fi
done
if [ -n "$stale" ]; then
	echo "generated files were out of date and are rewritten now; commit them:$stale" >&2
	exit 1
fi
