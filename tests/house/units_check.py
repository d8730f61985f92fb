#!/usr/bin/env python3
"""The systemd units are such as systemd accepts: units_check.py BIN_DIR SOURCE_DIR. Exit 77, which
CTest shows as skipped, where systemd-analyze is missing."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
HARDENING = ("User=spillway", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes",
             "KillSignal=SIGTERM", "TimeoutStopSec=")


def main(bin_dir, source):
    units = sorted((source / "scripts/systemd").glob("*.service"))
    if len(units) != 2:
        sys.exit(f"expected two units, found {units}")
    for unit in units:
        missing = [line for line in HARDENING if line not in unit.read_text()]
        if missing:
            sys.exit(f"{unit.name}: without {', '.join(missing)}")
    if shutil.which("systemd-analyze") is None:
        print("SKIPPED: systemd-analyze is not installed (package systemd)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="spillway-units-") as directory:
        paths = []
        for unit in units:
            path = pathlib.Path(directory) / unit.name
            path.write_text(unit.read_text().replace("@SPILLWAY_BIN_DIR@", str(bin_dir)))
            paths.append(path)
        ended = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True,
                               text=True, check=False)
    # An unknown directive is only a remark to systemd.
    if ended.returncode != 0 or ended.stderr.strip():
        sys.exit(f"systemd-analyze verify: exit {ended.returncode}\n{ended.stderr}")
    print("units: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
