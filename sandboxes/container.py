"""The docker sandbox: a container per run, from an image that is built on this machine.

No network, read-only root, a user without rights, no capabilities, no new privileges; memory, processors, processes and disk
held by the kernel. Everything the code writes lies in a file system in memory that goes with the container; what it leaves
comes out through its standard output, so that no folder of the host is writable inside and nothing needs a cleaning up.
It does not guard against faults of the kernel or the daemon.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandboxes import launch
from sandboxes.attach import Attached
from sandboxes.image import image_name
from sandboxes.inside.spec import Spec
from sandboxes.outputs import MB
from sandboxes.owner import alive, this_owner
from sandboxes.protocol import RunRequest, RunResult
from sandboxes.supervise import Supervisor
from sandboxes.workspace import PACKAGE, PARTS, for_others, sweep_workspaces, workspace

if TYPE_CHECKING:
    from docker import DockerClient

LABEL, OWNER_LABEL = "agenticrs", "agenticrs.owner"
BUILD = "deploy/sandbox/build_image.sh"
_PYTHON = "/opt/venv/bin/python"
_USER = "65534:65534"
_OWN_MB, _OWN_TASKS = 64, 8  # for the first process
_ANSWER_S = 5  # for the daemon to answer whether it is there
_CALL_S = 30  # for any one call to the daemon while a run is set up or removed


class ContainerSandbox:
    """Runs any code in a container of the local Docker daemon."""

    name = "docker"

    def available(self) -> str | None:
        """Whether a daemon answers and has the image; nothing is pulled or built."""
        from docker.errors import DockerException, ImageNotFound
        from requests.exceptions import RequestException

        try:
            client = _client(_ANSWER_S)
        except (DockerException, RequestException, OSError) as error:
            return _unreachable(str(error))
        try:
            client.images.get(image_name())
        except ImageNotFound:
            return f"Docker runs, but the sandbox image {image_name()} is not built; build it with {BUILD} (a minute or two)"
        except (DockerException, RequestException) as error:
            return f"the Docker daemon answers with an error ({str(error)[:200]}); restart it"
        finally:
            client.close()
        return None

    def run(self, request: RunRequest, progress: launch.Progress = None, cancelled: launch.Cancelled = None) -> RunResult:
        """See `sandboxes.protocol.Sandbox`."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        refused = launch.refusal(request, self.name)
        if refused:
            return refused
        clock = launch.Clock()
        try:
            with workspace(request.files) as folder, launch.receiving(request) as receiver:
                client = _client(_CALL_S)
                try:
                    return _run(client, request, folder, clock, Supervisor(request.limits, receiver, progress, cancelled))
                finally:
                    client.close()
        except (DockerException, RequestException, OSError) as error:
            return launch.not_started(self.name, str(error), clock())

    def sweep(self) -> int:
        """Removes containers, and workspace folders, of owners that died."""
        from docker.errors import DockerException, NotFound
        from requests.exceptions import RequestException

        swept = sweep_workspaces()
        try:
            client = _client(_ANSWER_S)
        except (DockerException, RequestException, OSError):
            return swept
        try:
            for container in client.api.containers(all=True, filters={"label": f"{LABEL}=1"}):
                if alive(_owner(container["Labels"])):
                    continue
                try:
                    client.api.remove_container(container["Id"], force=True, v=True)
                    swept += 1
                except NotFound:
                    continue
        finally:
            client.close()
        return swept


def _unreachable(said: str) -> str:
    """One sentence for what the Docker library says when it reaches no daemon."""
    if "Permission denied" in said:
        return (
            "this user may not talk to the Docker daemon; add it to the group docker (usermod -aG docker USER) and log in again"
        )
    if shutil.which("docker") is None and shutil.which("dockerd") is None:
        return "Docker is not installed; install it (apt-get install docker.io) and start it"
    return "Docker is installed, but no daemon answers; start it (systemctl start docker, or dockerd & as root)"


def _client(timeout_s: int) -> DockerClient:
    import docker

    client = docker.from_env(timeout=timeout_s, version="auto")
    client.ping()
    return client


def _run(client: DockerClient, request: RunRequest, folder: Path, clock: launch.Clock, supervisor: Supervisor) -> RunResult:
    api = client.api
    made: str = api.create_container(**_container(client, request, folder))["Id"]
    channel = None
    try:
        channel = Attached(api.attach_socket(made, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}))
        api.start(made)
        ending = supervisor.follow(channel)
        killed = ending.status == "failed" and api.inspect_container(made)["State"].get("OOMKilled", False)
    finally:
        _remove(client, made)
        supervisor.join()
        if channel is not None:
            channel.close()
    if not ending.started and ending.status != "cancelled":
        return launch.not_started(ContainerSandbox.name, channel.complaints(), clock())
    if killed:
        ending.status, ending.reason = "out_of_memory", f"the code used more than {request.limits.memory_mb} MB of memory"
    return launch.result(ContainerSandbox.name, ending, supervisor.receiver, clock())


def _remove(client: DockerClient, container: str) -> None:
    from docker.errors import NotFound

    try:
        client.api.remove_container(container, force=True, v=True)
    except NotFound:
        return


def _container(client: DockerClient, request: RunRequest, folder: Path) -> dict[str, Any]:
    """The arguments of the daemon's create call."""
    limits = request.limits
    spec = Spec(
        argv=request.argv,
        files="/handed",
        work="/tmp/work",
        volume="/tmp",
        processes=limits.processes,
        disk_mb=limits.disk_mb,
        control_group=True,
    )
    label = re.sub(r"[^a-zA-Z0-9_.-]+", "-", request.label)[:40].strip("-.")
    return {
        "image": image_name(),
        "command": launch.command(_PYTHON, spec),
        "name": "-".join(filter(None, ("agenticrs", label, secrets.token_hex(6)))),
        "user": _USER,
        "working_dir": "/",
        "hostname": "sandbox",
        "stdin_open": True,
        "environment": launch.environment(request, "/agenticrs", "/tmp", "/data" if request.data is not None else ""),
        "labels": {LABEL: "1", OWNER_LABEL: json.dumps(this_owner())},
        "host_config": _host_config(client, request, folder),
    }


def _host_config(client: DockerClient, request: RunRequest, folder: Path) -> dict[str, Any]:
    limits, machine = request.limits, client.info()
    memory = (limits.memory_mb + limits.disk_mb + _OWN_MB) * MB  # files in memory count as memory
    graphics = "nvidia" in machine.get("Runtimes", {})
    config: dict[str, Any] = client.api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=memory,
        memswap_limit=memory,
        pids_limit=limits.processes + _OWN_TASKS,
        nano_cpus=int(min(limits.cpus, machine["NCPU"]) * 1e9),
        tmpfs={"/tmp": f"rw,exec,nosuid,nodev,size={limits.disk_mb}m,mode=1777"},
        shm_size=64 * MB,
        ipc_mode="private",
        mounts=_mounts(request, folder),
        ulimits=[{"Name": "core", "Soft": 0, "Hard": 0}, {"Name": "nofile", "Soft": 1024, "Hard": 1024}],
        log_config={"Type": "none", "Config": {}},
        device_requests=[{"Count": -1, "Capabilities": [["gpu"]]}] if graphics else None,
    )
    return config


def _mounts(request: RunRequest, folder: Path) -> list[Any]:
    """What of the host is seen inside, all of it read-only."""
    from docker.types import Mount

    seen = {"/agenticrs": folder / "lib", "/handed": folder / "files"}
    for part in PARTS:
        seen[f"/agenticrs/sandboxes/{part}"] = for_others(PACKAGE / part, folder / f"{part}-copy")
    if request.data is not None:
        seen["/data"] = for_others(request.data.resolve(), folder / "data-copy")
    return [Mount(place, str(source), type="bind", read_only=True) for place, source in seen.items()]


def _owner(labels: dict[str, str]) -> dict[str, str]:
    """The owner in a container's labels; {} (which counts as alive) when they do not say."""
    try:
        owner: dict[str, str] = json.loads(labels[OWNER_LABEL])
    except (KeyError, ValueError):
        return {}
    return owner
