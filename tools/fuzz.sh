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

log=$(pwd)/build/fuzz.log
mkdir -p build
: >"$log"

# What one part prints is shown and kept, and its end is this script's when it fails.
part() {
    name=$1
    shift
    echo "isthmus: $name, $part_seconds s" | tee -a "$log"
    "$@" >"$log.part" 2>&1 || { cat "$log.part"; exit 1; }
    tee -a "$log" <"$log.part"
    rm "$log.part"
}

if "$cargo" fuzz --version >/dev/null 2>&1 && "$cargo" +nightly --version >/dev/null 2>&1; then
    cd crates/isthmus-core
    targets=$("$cargo" +nightly fuzz list)
    # shellcheck disable=SC2086  # one word a target
    part_seconds=$((seconds / $(echo $targets | wc -w)))
    for target in $targets; do
        # What coverage finds is kept in fuzz/corpus and begun with the next time.
        part "cargo-fuzz, target $target" "$cargo" +nightly fuzz run "$target" -- \
            -max_total_time="$part_seconds" -rss_limit_mb=2048 -timeout=60 -verbosity=0 -print_funcs=0 -print_final_stats=1
    done
    cd ../..
else
    echo "isthmus: no cargo-fuzz with a nightly toolchain here"
    part_seconds=$((seconds / 2))
    part "mutation tests of the core on stable" env ISTHMUS_FUZZ_SECONDS=$part_seconds \
        "$cargo" test --quiet --release --package isthmus-core --test mutation -- --nocapture
    part "mutations of the sample through isthmus._rust" "$python" -m tools.fuzz_core "$part_seconds"
fi
"$python" -m tools.fuzz_results "$log" bench/results/fuzz.jsonl
