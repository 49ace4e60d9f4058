#!/usr/bin/env bash
# vulncheck.sh GOVULNCHECK… reports known vulnerabilities that the program can reach.
# The database is online: where it cannot be reached, that is said, and is no failure.
set -uo pipefail

output=$("$@" ./... 2>&1)
code=$?
case $output in
*"fetching vulnerabilities:"*)
	echo "NOT CHECKED for known vulnerabilities: their database is unreachable" >&2
	exit 0
	;;
esac
printf '%s\n' "$output"
exit "$code"
