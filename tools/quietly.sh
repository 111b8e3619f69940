# Run a command, and show what it printed only when it fails; its exit code is ours.
#   sh tools/quietly.sh COMMAND [ARGUMENT...]

said="$("$@" 2>&1)"
code=$?
[ "$code" -eq 0 ] || printf '%s\n' "$said" >&2
exit "$code"
