#!/bin/sh
# Feeds mutated documents to the core for a while and says how it does so.
# usage: fuzz.sh SECONDS
#
# With cargo-fuzz and a nightly toolchain: each target in crates/isthmus-core/fuzz, coverage-guided, the time shared
# between them. Otherwise the mutation tests of the core on stable, which need nothing more.
set -eu

seconds=$1
cargo=${CARGO:-cargo}
targets=crates/isthmus-core/fuzz

if [ -f "$targets/Cargo.toml" ] && "$cargo" fuzz --version >/dev/null 2>&1 && "$cargo" +nightly --version >/dev/null 2>&1; then
    cd crates/isthmus-core
    names=$("$cargo" +nightly fuzz list)
    # shellcheck disable=SC2086  # one word a target
    set -- $names
    each=$((seconds / $#))
    for name in "$@"; do
        echo "isthmus: cargo-fuzz, target $name, $each s"
        "$cargo" +nightly fuzz run "$name" -- -max_total_time="$each" -rss_limit_mb=2048
    done
else
    echo "isthmus: no cargo-fuzz with a nightly toolchain here; running the mutation tests on stable for $seconds s"
    ISTHMUS_FUZZ_SECONDS=$seconds "$cargo" test --quiet --release --package isthmus-core --test mutation -- --nocapture
fi
