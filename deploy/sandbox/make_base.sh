#!/usr/bin/env bash
# Builds a base image with Python from Debian packages, for sites that cannot pull python:3.11-slim from a registry.
# Usage: deploy/sandbox/make_base.sh [IMAGE [SUITE [MIRROR]]]      needs root, debootstrap and a Docker daemon.
# The mirror is the argument, else the first one that this machine's apt uses, else Debian's public one.
set -euo pipefail

image=${1:-agenticrs-base:latest}
suite=${2:-bookworm} # its python3 is 3.11, as in the default base
mirror=${3:-}

command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root: run this with sudo" >&2; exit 1; }
docker info >/dev/null 2>&1 || { echo "no Docker daemon answers: start it (for example: systemctl start docker)" >&2; exit 1; }

if [ -z "$mirror" ]; then
  # `apt-get indextargets` knows every way of writing sources down: sources.list, *.list and deb822 *.sources.
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }' || true)
fi
mirror=${mirror:-http://deb.debian.org/debian}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
echo "debootstrap $suite from $mirror"
debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,libgomp1 "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -20 "$root.log" >&2; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
# Package lists, caches and documentation are of no use in a sandbox. `python` is what the sandbox calls.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
ln -sf python3 "$root/usr/bin/python"
tar -C "$root" -c . | docker import --change 'CMD ["python"]' - "$image" >/dev/null
echo "built $image; next: BASE=$image deploy/sandbox/build_image.sh"
