#!/bin/sh
# Says which part of a Rust toolchain is missing, all parts at once, and exits 1; silent when all is there.

missing=0
cargo=${CARGO:-cargo}

for tool in "$cargo" rustc; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "isthmus: $tool is missing; the core is written in Rust and is built here." >&2
        missing=1
    fi
done
if [ $missing -eq 1 ]; then
    if [ -x "$HOME/.cargo/bin/cargo" ]; then
        echo "         Rust is installed but not on the PATH of this shell: . \"\$HOME/.cargo/env\"" >&2
    else
        echo "         Install Rust from https://rustup.rs and open a new shell." >&2
    fi
elif ! "$cargo" --version >/dev/null 2>&1; then
    echo "isthmus: $cargo is there but does not run: $("$cargo" --version 2>&1 | head -n 1)" >&2
    missing=1
else
    # `rust-version` of Cargo.toml is the one place that says how new Rust must be.
    needed=$(sed -n 's/^rust-version *= *"\([0-9]*\)\.\([0-9]*\).*/\1 \2/p' Cargo.toml)
    have=$(rustc --version | sed 's/^rustc \([0-9]*\)\.\([0-9]*\).*/\1 \2/')
    if [ -n "$needed" ] && [ "$(printf '%s\n%s\n' "$needed" "$have" | sort -n -k1,1 -k2,2 | head -n 1)" != "$needed" ]; then
        echo "isthmus: this is $(rustc --version), and the core needs Rust $(echo "$needed" | tr ' ' '.') or newer." >&2
        echo "         Bring it up to date: rustup update stable" >&2
        missing=1
    fi
fi

# rustc links through the C compiler, and a dependency (blake3) compiles C or assembler with it.
if ! command -v "${CC:-cc}" >/dev/null 2>&1; then
    echo "isthmus: no C compiler (${CC:-cc}); Rust links with it." >&2
    case "$(uname -s)" in
        Darwin) echo "         Install Apple's command line tools: xcode-select --install" >&2 ;;
        *) echo "         On Debian and Ubuntu: apt install build-essential; on Fedora: dnf install gcc" >&2 ;;
    esac
    missing=1
fi

exit $missing
