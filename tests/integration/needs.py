"""What a test needs and a machine may lack: a failure where everything should be there, else a skip with the reason."""

import os
import sys

SKIPPED = 77


def lacking(what, remedy="scripts/install-dependencies test"):
    message = f"{what}; `{remedy}` installs it"
    if os.environ.get("CI"):
        sys.exit(f"failed: {message}")
    print(f"skipped: {message}")
    sys.exit(SKIPPED)
