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


def not_here(why):
    """A skip of a test that needs more rights, or another kernel, than there are: no package brings them. Where it must
    run, BURSAR_EXPECT_CGROUPS=1 makes it a failure."""
    if os.environ.get("BURSAR_EXPECT_CGROUPS") == "1":
        sys.exit(f"failed: {why}")
    print(f"skipped: {why}")
    sys.exit(SKIPPED)
