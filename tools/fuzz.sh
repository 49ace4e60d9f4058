#!/bin/sh
# fuzz.sh DURATION MODULE… runs every fuzz test of the modules for DURATION each.
# `go test -fuzz` takes one fuzz test of one package at a time, hence the loop. An
# input is made smaller five times at most: by default that may take a minute for
# each, more than DURATION, in which nothing new is tried.
set -eu

duration=$1
shift
for module; do
	cd "$module"
	for package in $(go list ./...); do
		for fuzz in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
			printf '==> %s %s\n' "$package" "$fuzz"
			go test -run '^$' -fuzz "^$fuzz\$" -fuzztime "$duration" -fuzzminimizetime 5x "$package"
		done
	done
	cd - >/dev/null
done
