"""Where things are, and how patient to be."""

import functools
import os
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("HOLON_BUILD", REPO / "build")).resolve()
OUT = Path(os.environ.get("HOLON_OUT", BUILD / "out")).resolve()

# Every limit of the harness and of the tests is multiplied by this.
SLOW = float(os.environ.get("HOLON_TEST_SLOW", "1"))

# And the memory of every node: a KASAN kernel needs twice as much.
MEMORY = float(os.environ.get("HOLON_TEST_MEMORY", "1"))

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
# A /dev/kvm that opens is no proof that it runs a kernel: only by request.
ACCEL = os.environ.get("ACCEL", "tcg")

SWITCH = Path(os.environ.get("HOLON_SWITCH", BUILD / "tests" / "switch"))
TSC = BUILD / "tests" / "tsc"


@functools.cache
def tsc_khz():
    """How fast the time stamp counter of an emulated machine runs, or ""; see tsc.c."""
    if ACCEL != "tcg":
        return ""
    return subprocess.run([TSC], check=True, capture_output=True, text=True).stdout.strip()


def kernel(flavour):
    """The bzImage of "debug" or "product"."""
    named = os.environ.get("HOLON_KERNEL_" + flavour.upper())
    return Path(named or BUILD / "linux" / f"out-{flavour}" / "arch/x86/boot/bzImage")


def image(name):
    """The file of an image: "initramfs" (a cpio archive) or "root" (a squashfs)."""
    named = os.environ.get("HOLON_IMAGE_" + name.upper())
    return Path(named or BUILD / "image" / {"initramfs": "initramfs.cpio.lz4",
                                            "root": "root.squashfs"}[name])


def limit(seconds):
    """A generous limit, made more generous on a slow machine."""
    return seconds * SLOW
