#!/usr/bin/env bash
# Builds the sandbox image under the name that the code looks for, unless it is there already.
# Usage: [BASE=IMAGE] [PYTHON=PROGRAM] deploy/sandbox/build_image.sh [--force]      needs a Docker daemon and pip.
#   BASE    the image to build on, with python3 and venv of this Python's version; default python:3.11-slim, present or
#           pulled, else a base made from Debian packages by make_base.sh (that alone needs root and debootstrap)
#   PYTHON  the Python of this installation: it says which versions the image holds; default .venv/bin/python, else python3
# Wheels are downloaded here, outside the build, with the pip settings of this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

default_base=python:3.11-slim
made_base=agenticrs-base:latest
python=${PYTHON:-}
[ -n "$python" ] || { [ -x .venv/bin/python ] && python=.venv/bin/python || python=python3; }
began=$SECONDS

docker info >/dev/null 2>&1 || { echo "no Docker daemon answers: start it (for example: systemctl start docker), and be root or in the group docker" >&2; exit 1; }
wanted=$("$python" -W ignore -m sandboxes.image) || { echo "$python does not have this project: run make test first, or say PYTHON=..." >&2; exit 1; }
image=$(head -n 1 <<<"$wanted")
requirements=$(tail -n +2 <<<"$wanted")

if [ "${1:-}" != --force ] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image is there already"
  exit 0
fi

present_or_pulled() { docker image inspect "$1" >/dev/null 2>&1 || timeout 300 docker pull --quiet "$1" >/dev/null 2>&1; }

base=${BASE:-}
if [ -n "$base" ]; then
  present_or_pulled "$base" || { echo "the base $base is neither present nor can it be pulled" >&2; exit 1; }
elif present_or_pulled "$default_base"; then
  base=$default_base
else
  base=$made_base
  if docker image inspect "$base" >/dev/null 2>&1; then
    echo "$default_base cannot be pulled here; building on $base, made earlier from Debian packages"
  else
    echo "$default_base cannot be pulled here; making a base from Debian packages instead"
    deploy/sandbox/make_base.sh "$base"
  fi
fi

# The image's Python decides which wheels fit, not the one that downloads them.
version=$(docker run --rm --network none --entrypoint python3 "$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir "$context/wheels"
echo "$requirements" >"$context/wheels/requirements.txt"
cp deploy/sandbox/Dockerfile "$context/"
echo "downloading wheels for Python $version:" $requirements
"$python" -m pip download -qq --disable-pip-version-check --only-binary=:all: --python-version "$version" \
  --dest "$context/wheels" --requirement "$context/wheels/requirements.txt"
echo "building $image on $base"
log=$(mktemp)
# The older builder: Debian's docker.io comes without the newer one.
DOCKER_BUILDKIT=0 docker build --force-rm --build-arg "BASE=$base" --tag "$image" "$context" >"$log" 2>&1 || { tail -n 30 "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
size=$(docker image inspect --format '{{.Size}}' "$image")
echo "built $image: $((size / 1000000)) MB, $((SECONDS - began)) s"
