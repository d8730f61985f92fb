"""Disks for tests to break: a small one that can be filled up, and one that can fail as a device
does when it is pulled out. Both are mounts of their own."""

import fcntl
import os
import shutil
import struct
import subprocess

SMALL = "48m"
IMAGE_BYTES = 96 << 20
EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), linux/fs/ext4/ext4.h
NO_LOG_FLUSH = 2  # What is only in memory is lost, as by a power cut.
FILL_STEP_BYTES = 64 << 10


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def why_not(disk):
    """Why this machine cannot have such a disk (SmallDisk or FailingDisk); None when it can."""
    if os.geteuid() != 0:
        return "mounting a file system needs root"
    directory = f"/tmp/spillway-disk-{os.getpid()}"
    os.mkdir(directory)
    try:
        disk(directory + "/probe").close()
    except FileNotFoundError as error:
        return f"there is no '{error.filename}' command"
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]}: {error.stderr.decode(errors='replace').strip()}"
    finally:
        shutil.rmtree(directory)
    return None


class Busy(Exception):
    """Somebody still has a file of the disk open."""


class Disk:
    """A file system at `path`."""

    def fill(self):
        """Leaves no room."""
        step = b"\0" * FILL_STEP_BYTES
        with open(f"{self.path}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(step)
            except OSError:
                pass

    def clear(self):
        """Makes room again."""
        try:
            os.unlink(f"{self.path}/filler")
        except FileNotFoundError:
            pass

    def close(self):
        subprocess.run(["umount", "--lazy", self.path], capture_output=True)


class SmallDisk(Disk):
    """A tmpfs at `path`, which is made."""

    def __init__(self, path):
        self.path = str(path)
        os.mkdir(self.path)
        run("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", self.path)


class FailingDisk(Disk):
    """An ext4 in a file, mounted at `path`, which is made."""

    def __init__(self, path):
        self.path = str(path)
        self.image = f"{self.path}.image"
        os.mkdir(self.path)
        self.make()
        self.mount()

    def make(self):
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        run("mkfs.ext4", "-q", "-F", self.image)

    def mount(self):
        run("mount", "-o", "loop", self.image, self.path)

    def unmount(self):
        try:
            run("umount", self.path)
        except subprocess.CalledProcessError as error:
            raise Busy from error

    def fail(self):
        """Every read and write from now on is an error, and what was not synced is gone."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)

    def repair(self):
        """It is there again, with what was synced; Busy while somebody uses it."""
        self.unmount()
        self.mount()

    def replace(self):
        """Another, empty one is there; Busy as above."""
        self.unmount()
        self.make()
        self.mount()
