"""A process whose time of day can be set while it runs, by libfaketime. Its other clocks go on, as
they do when a host's time is corrected."""

import glob

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def why_not():
    """Why this machine has no such clocks; None when it has."""
    return None if glob.glob(LIBRARY) else "there is no libfaketime (Debian package libfaketime)"


class Clock:
    """Processes with this environment, and those that they start, read it."""

    def __init__(self, path):
        self.path = path
        self.set_ahead(0)
        self.environment = {
            "LD_PRELOAD": glob.glob(LIBRARY)[0], "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1", "NO_FAKE_STAT": "1"}

    def set_ahead(self, seconds):
        """Of the machine's; less than 0: behind it."""
        aside = self.path.with_suffix(".new")
        aside.write_text(f"{seconds:+d}\n")
        aside.rename(self.path)
