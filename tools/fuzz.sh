#!/bin/sh
# Feeds damaged input to the core for a while and says how it does so.
# usage: fuzz.sh PYTHON SECONDS
#
# With cargo-fuzz and a nightly toolchain: each target of crates/isthmus-core/fuzz, guided by coverage, the time shared
# between them. Otherwise two that need nothing more: the core's mutation tests, which draw new seeds until their time is
# over, and mutations of the shipped sample through the built module.
set -eu

python=$1
seconds=$2
cargo=${CARGO:-cargo}

if "$cargo" fuzz --version >/dev/null 2>&1 && "$cargo" +nightly --version >/dev/null 2>&1; then
    cd crates/isthmus-core
    # shellcheck disable=SC2046  # one word a target
    set -- $("$cargo" +nightly fuzz list)
    for target in "$@"; do
        echo "isthmus: cargo-fuzz, target $target, $((seconds / $#)) s"
        # What coverage finds is kept in fuzz/corpus and begun with the next time.
        "$cargo" +nightly fuzz run "$target" -- \
            -max_total_time="$((seconds / $#))" -rss_limit_mb=2048 -timeout=60 -verbosity=0 -print_funcs=0 -print_final_stats=1
    done
else
    echo "isthmus: no cargo-fuzz with a nightly toolchain here"
    echo "isthmus: mutation tests of the core on stable, $((seconds / 2)) s"
    ISTHMUS_FUZZ_SECONDS=$((seconds / 2)) "$cargo" test --quiet --release --package isthmus-core --test mutation -- --nocapture
    echo "isthmus: mutations of the sample through isthmus._rust, $((seconds / 2)) s"
    "$python" -m tools.fuzz_core "$((seconds / 2))"
fi
