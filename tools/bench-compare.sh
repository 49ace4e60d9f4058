#!/usr/bin/env bash
# Compares the micro-benchmarks of two revisions: each is checked out into a
# directory of its own, the two take turns, so that a machine that grows slower
# slows both, and benchstat says what is a difference and what is noise.
#
#   tools/bench-compare.sh OLD NEW     revisions as git names them
#
# BENCH (default .), COUNT (default 6) and PKG (default ./...) choose. NEW may be
# "." for the working tree as it is. BENCHSTAT is the command of benchstat.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -ne 2 ] || [ -z "$1" ] || [ -z "$2" ]; then
	echo "usage: $0 OLD NEW, two revisions such as main and HEAD; NEW may be . for the working tree" >&2
	exit 2
fi
go=${GO:-go}
bench=${BENCH:-.} count=${COUNT:-6} pkg=${PKG:-./...}
benchstat=${BENCHSTAT:-$go tool -modfile=$PWD/tools/go.mod benchstat}

dir=$(mktemp -d)
remove() {
	for side in old new; do
		[ ! -e "$dir/$side/.git" ] || git worktree remove --force "$dir/$side"
	done
	rm -rf "$dir"
}
trap remove EXIT

git worktree add --quiet --detach "$dir/old" "$1"
if [ "$2" = . ]; then
	new=$PWD
else
	new=$dir/new
	git worktree add --quiet --detach "$new" "$2"
fi

# run DIRECTORY OUTPUT COUNT. What a revision cannot build or has no benchmark of
# is left out; the other packages are compared all the same.
run() {
	(cd "$1" && $go test -run '^$' -bench "$bench" -benchmem -count "$3" $pkg) >>"$2" ||
		echo "some packages of $1 failed; see below for what is compared" >&2
}

for ((i = 1; i <= count; i++)); do
	echo "round $i of $count" >&2
	run "$dir/old" "$dir/old.txt" 1
	run "$new" "$dir/new.txt" 1
done
$benchstat "old=$dir/old.txt" "new=$dir/new.txt"
