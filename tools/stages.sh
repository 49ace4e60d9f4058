#!/bin/sh
# stages.sh TARGET… makes one target after the other, says how long each took,
# and stops at the first that fails.
set -u

start=$(date +%s)
for stage; do
	begin=$(date +%s)
	printf '==> %s\n' "$stage"
	if ! ${MAKE:-make} --no-print-directory "$stage"; then
		printf '==> %s FAILED after %ss; again with: make %s\n' "$stage" "$(($(date +%s) - begin))" "$stage" >&2
		exit 1
	fi
	now=$(date +%s)
	printf '==> %s ok, %ss (%ss in all)\n' "$stage" "$((now - begin))" "$((now - start))"
done
