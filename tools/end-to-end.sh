#!/usr/bin/env bash
# end-to-end.sh BESIDE MODULE… vets and tests modules of test/: BESIDE, which
# mostly waits, beside the others, which take turns. What it says is shown when it
# has ended. All are tested even if one fails. Once a minute it says what still
# runs: from an empty build cache that is a while.
set -uo pipefail

go=${GO:-go}
beside=$1
shift
dir=$(mktemp -d)

# test_module MODULE
test_module() (
	started=$SECONDS
	# Parallel tests wait for a program most of the time, whatever the processors.
	cd "$1" && $go vet ./... && $go test -count=1 -timeout 30m -parallel 8 ./... &&
		echo "--> $1 ok, $((SECONDS - started))s"
)

tell() {
	while sleep 60; do
		echo "    after ${SECONDS}s still at:" $(cat "$dir/running") $([ -e "$dir/ended" ] || echo "$beside")
	done
}

# The two have process groups of their own, so that they can be ended with all
# that they have started.
set -m
(test_module "$beside" >"$dir/log" 2>&1 </dev/null; code=$?; touch "$dir/ended"; exit $code) &
beside_pid=$!
echo "$1" >"$dir/running"
tell &
tell_pid=$!
set +m
trap 'kill -- -$beside_pid -$tell_pid 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed=
for module; do
	echo "--> $module"
	echo "$module" >"$dir/running"
	test_module "$module" || failed="$failed $module"
done
echo "--> $beside"
: >"$dir/running"
wait "$beside_pid" || failed="$failed $beside"
cat "$dir/log"
if [ -n "$failed" ]; then
	echo "failed:$failed" >&2
	exit 1
fi
