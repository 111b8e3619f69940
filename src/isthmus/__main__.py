"""The process `isthmus`: who is stopped while the command line is being loaded leaves with exit code 130, too."""

from __future__ import annotations

try:
    from isthmus.cli.early import leave_on_signals

    leave_on_signals()
except KeyboardInterrupt:
    raise SystemExit(130) from None


def main() -> None:
    """Load the command line and run it; see `isthmus.cli.main.main`."""
    from isthmus.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
