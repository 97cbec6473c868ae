"""The Debian packages of the userland have what they must, and lintian finds no fault."""

import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).parent.parent.parent
DEB = pathlib.Path(os.environ.get("HOLON_BUILD", TOP / "build")) / "deb"


def package(name):
    found = list(DEB.glob(f"{name}_*_amd64.deb"))
    assert len(found) == 1, f"{DEB} has {found} of {name}: run make deb first"
    return found[0]


def files(name):
    """Path -> mode and size."""
    listing = subprocess.run(["dpkg-deb", "-c", package(name)], text=True, check=True,
                             capture_output=True).stdout
    return {words[5].removeprefix("."): (words[0], words[1], int(words[2]))
            for words in (line.split() for line in listing.splitlines())}


def field(name, which):
    return subprocess.run(["dpkg-deb", "-f", package(name), which], text=True, check=True,
                          capture_output=True).stdout.strip()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for name in ("holon-tools", "holon-node", "libholon-dev"):
        subprocess.run(["dpkg-deb", "-x", package(name), root], check=True)
    return root


@pytest.mark.parametrize("name, wanted", [
    ("holon-tools", ["/usr/bin/holon", "/usr/share/man/man1/holon.1.gz",
                     "/usr/share/bash-completion/completions/holon"]),
    ("holon-node", ["/usr/sbin/holond", "/etc/holon/node.conf", "/usr/share/man/man8/holond.8.gz",
                    "/usr/share/man/man5/holon-node.conf.5.gz",
                    "/lib/systemd/system/holon-node.service", "/lib/systemd/system/holond.service",
                    "/lib/systemd/system/holon-join.service",
                    "/usr/share/initramfs-tools/hooks/holon-node",
                    "/usr/share/initramfs-tools/scripts/init-bottom/holon-node"]),
    ("libholon-dev", ["/usr/lib/x86_64-linux-gnu/libholon.a", "/usr/include/holon/libholon.h",
                      "/usr/include/holon/linux/holon.h"]),
])
def test_what_is_in_it(name, wanted):
    have = files(name)
    for path in wanted:
        assert path in have, f"{name} has no {path}"
        mode, owner, size = have[path]
        assert owner == "root/root" and size > 0
        program = "/bin/" in path or "/sbin/" in path or "/initramfs-tools/" in path
        assert mode == ("-rwxr-xr-x" if program else "-rw-r--r--")
    # What only virtual nodes have.
    assert not [path for path in have if path.endswith(("/init", "/agent"))]


def test_scripts_are_programs():
    have = files("holon-node")
    for path in ("/usr/lib/holon/join", "/usr/lib/holon/leave"):
        assert have[path][0] == "-rwxr-xr-x"


def test_programs_are_linked_as_debian_does(unpacked):
    for program in ("usr/bin/holon", "usr/sbin/holond"):
        header = subprocess.run(["objdump", "-p", unpacked / program], text=True, check=True,
                                capture_output=True).stdout
        assert "libc.so.6" in header
    assert "libc6" in field("holon-tools", "Depends")
    assert f"holon-tools (= {field('holon-node', 'Version')})" in field("holon-node", "Depends")


def test_the_program_says_the_version_of_its_package(unpacked):
    said = subprocess.run([unpacked / "usr/bin/holon", "-V"], text=True, check=True,
                          capture_output=True).stdout
    assert said == f"holon {field('holon-tools', 'Version')}\n"


def test_the_configuration_is_one_line_from_right(unpacked, tmp_path):
    """Only the id and the key are missing."""
    holon = unpacked / "usr/bin/holon"
    (tmp_path / "etc").mkdir()
    shutil.copytree(unpacked / "etc/holon", tmp_path / "etc/holon")
    check = [holon, "node", "check", "root", tmp_path]
    assert "gives no node=" in subprocess.run(check, text=True, capture_output=True,
                                              check=False).stderr
    conf = tmp_path / "etc/holon/node.conf"
    conf.write_text(conf.read_text().replace("node=\n", "node=7\n"))
    subprocess.run([holon, "cluster", "key", "generate", "file",
                    tmp_path / "etc/holon/cluster.key"], check=True)
    subprocess.run(check, check=True)


def test_a_program_can_be_built_with_the_library(unpacked, tmp_path):
    source = tmp_path / "ask.c"
    source.write_text("""
        #include <stdio.h>
        #include <libholon.h>
        int main(void)
        {
            const char *why = "";
            struct ynl_sock *ys = holon_open(&why);
            puts(ys ? "open" : why);
            return 0;
        }
    """)
    subprocess.run(["gcc", "-I", unpacked / "usr/include/holon", "-o", tmp_path / "ask", source,
                    unpacked / "usr/lib/x86_64-linux-gnu/libholon.a"], check=True)
    assert subprocess.run([tmp_path / "ask"], check=True, capture_output=True).stdout


def test_lintian():
    changes = list(DEB.glob("holon_*.changes"))
    result = subprocess.run(["lintian", "--no-cfg", "--allow-root", "--fail-on", "error,warning",
                             *changes], text=True, capture_output=True, check=False)
    assert changes and result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("script", ["preinst", "postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_shell(script, tmp_path):
    subprocess.run(["dpkg-deb", "-e", package("holon-node"), tmp_path], check=True)
    subprocess.run(["sh", "-n", tmp_path / script], check=True)
