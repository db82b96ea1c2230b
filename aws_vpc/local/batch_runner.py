"""Runs Batch jobs as processes of this machine: the job definition's command is the real program.

SUBMITTED ─► PENDING (waits for other jobs) ─► RUNNABLE (waits for vCPUs) ─► STARTING ─► RUNNING
     ▲                                              ▲                                      │
     └ submit                                       └──────────── another attempt ◄────────┤
                                                              SUCCEEDED, FAILED ◄──────────┘
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress

from botocore.exceptions import ClientError

from aws_vpc.local.batch_job import ACTIVE, Job, now, try_again
from aws_vpc.local.batch_logs import Output
from aws_vpc.local.processes import Process
from aws_vpc.local.world import PROJECT, World

log = logging.getLogger("aws_vpc.local")

TOGETHER = max(4, 2 * (os.cpu_count() or 1))  # jobs at once, whatever the queue would allow
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL, as on Fargate
EXITED = "Essential container in task exited"
HOST_GONE = "Host EC2 (instance terminated)"  # begins as Batch's own, which evaluateOnExit conditions ask for
TIMED_OUT = "Job attempt duration exceeded timeout"


class Runner:
    """All jobs of one embedded AWS."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.jobs: dict[str, Job] = {}
        self.lock = threading.RLock()
        self._processes: dict[str, Process] = {}

    def submit(self, job: Job) -> None:
        """Take a job, with its children, on."""
        with self.lock:
            for each in (job, *job.children):
                self.jobs[each.id] = each
                each.status = "PENDING"
        self.advance()

    def resume(self) -> None:
        """Go on with the jobs of an earlier embedded AWS; the attempts that ran then have ended with it."""
        for job in list(self.jobs.values()):
            if job.status in ACTIVE and not job.children:
                self._over(job, job.started or now(), None, HOST_GONE)
        self.advance()

    def advance(self) -> None:
        """Bring every job as far as it can go now."""
        with self.lock:
            while self._step():
                pass

    def _step(self) -> bool:
        """Move the jobs one step; whether one has ended by that, on which others may depend."""
        living = [job for job in self.jobs.values() if not job.ended]
        for job in living:
            if job.status == "PENDING":
                self._depend(job)
        for job in living:
            if job.children:
                _sum_up(job)
            elif job.status == "RUNNABLE" and self._room(job):
                job.status = "STARTING"
                threading.Thread(target=self._run, args=(job,), name=f"job {job.id}", daemon=True).start()
        return any(job.ended for job in living)

    def _depend(self, job: Job) -> None:
        needed = [self.jobs[each["jobId"]] for each in job.depends if each.get("jobId") in self.jobs]
        if any(each.status == "FAILED" for each in needed):
            for each in (job, *job.children):
                each.end("FAILED", "Dependent Job failed")
        elif all(each.status == "SUCCEEDED" for each in needed):
            job.status = "RUNNABLE"

    def _room(self, job: Job) -> bool:
        busy = [each for each in self.jobs.values() if each.status in ACTIVE and not each.children]
        used = sum(each.vcpus() for each in busy if each.queue == job.queue)
        if job.vcpus() > job.limit:
            job.reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no compute environment is large enough"
        return len(busy) < TOGETHER and used + job.vcpus() <= job.limit

    def stop(self, job: Job, reason: str, *, terminate: bool) -> None:
        """Cancel a job that has not started; end one that has, if it is to be terminated."""
        with self.lock:
            if job.ended:
                return
            for child in job.children:
                self.stop(child, reason, terminate=terminate)
            if job.status not in ACTIVE:
                job.cancelled, job.terminated = reason, terminate
                job.end("FAILED", reason)
            elif terminate:
                job.cancelled, job.terminated = reason, True
                process = self._processes.get(job.id)
                if process and not job.children:
                    threading.Thread(target=process.terminate, args=(STOP_SECONDS,), daemon=True).start()
        self.advance()

    def _run(self, job: Job) -> None:
        try:
            self._attempt(job)
        except Exception as error:
            log.exception("job %s", job.id)
            with self.lock:
                job.end("FAILED", f"{type(error).__name__}: {error}")
        self.advance()

    def _attempt(self, job: Job) -> None:
        """One attempt, from its secrets to its exit status."""
        stream = job.new_log_stream()
        try:
            environment = self._environment(job)
            self._open_stream(job, stream)
        except ClientError as error:
            self._over(job, now(), None, f"ResourceInitializationError: {error}")
            return
        job.log_stream = stream
        logs = self._world.client("logs", job.region)
        output = Output(
            logs, job.log_group(), stream, self._world.logs / f"job-{job.id.replace(':', '-')}.log"
        )
        try:
            process = self._world.processes.spawn(
                f"job-{job.id}", argv(job.command()), env=environment, cwd=PROJECT, stdout=output.write_end
            )
        except (OSError, RuntimeError, ValueError) as error:
            output.abandon()
            job.container_reason = f"CannotStartContainerError: {error}"
            self._over(job, now(), 127, "Task failed to start")
            return
        output.start()
        self._watch(job, process, output)

    def _watch(self, job: Job, process: Process, output: Output) -> None:
        started = now()
        with self.lock:
            job.status, job.started, job.reason = "RUNNING", job.started or started, None
            self._processes[job.id] = process
            late = job.cancelled is not None  # terminated while it was starting
        reason = EXITED
        if late:
            process.terminate(STOP_SECONDS)
        try:
            code = process.wait(job.timeout)
        except subprocess.TimeoutExpired:
            reason, code = TIMED_OUT, process.terminate(STOP_SECONDS)
        process.kill_group()
        output.finish()
        with self.lock:
            self._processes.pop(job.id, None)
        self._over(job, started, 128 - code if code < 0 else code, reason)

    def _over(self, job: Job, started: int, code: int | None, reason: str) -> None:
        """Record an attempt that has ended, and end the job or let it try again."""
        with self.lock:
            job.exit_code = code
            container = {"exitCode": code, "reason": job.container_reason, "logStreamName": job.log_stream}
            job.attempts.append(
                {
                    "container": {**container, "networkInterfaces": []},
                    "startedAt": started,
                    "stoppedAt": now(),
                    "statusReason": job.cancelled or reason,
                }
            )
            if code == 0 and job.cancelled is None and reason == EXITED:
                job.end("SUCCEEDED", EXITED)
            elif reason != TIMED_OUT and try_again(job, -1 if code is None else code, reason):
                job.status = "RUNNABLE"
            else:
                job.end("FAILED", job.cancelled or reason)

    def _environment(self, job: Job) -> dict[str, str]:
        made = self._world.child_environment()
        made["AWS_REGION"] = made["AWS_DEFAULT_REGION"] = job.region
        made.update({each["name"]: each.get("value", "") for each in job.container.get("environment", [])})
        for secret in job.container.get("secrets", []):
            made[secret["name"]] = self._secret(secret["valueFrom"], job.region)
        made.update(
            AWS_BATCH_JOB_ID=job.id,
            AWS_BATCH_JOB_ATTEMPT=str(len(job.attempts) + 1),
            AWS_BATCH_JQ_NAME=job.queue.rpartition("/")[2],
            AWS_BATCH_CE_NAME=job.compute,
        )
        if job.index is not None:
            size = len(self.jobs[job.id.rpartition(":")[0]].children)
            made.update(AWS_BATCH_JOB_ARRAY_INDEX=str(job.index), AWS_BATCH_JOB_ARRAY_SIZE=str(size))
        return made

    def _secret(self, source: str, region: str) -> str:
        """The value of a secret (ARN, with :key:stage:version after it if wanted) or an SSM parameter."""
        parts = source.split(":")
        if len(parts) < 6 or parts[2] == "ssm":
            name = source if len(parts) < 6 else "/" + parts[5].removeprefix("parameter/")
            client = self._world.client("ssm", region)
            return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
        key, stage, version, *_ = [*parts[7:], "", "", ""]
        optional = {"VersionStage": stage, "VersionId": version}
        found = self._world.client("secretsmanager", region).get_secret_value(
            SecretId=":".join(parts[:7]), **{k: v for k, v in optional.items() if v}
        )["SecretString"]
        return str(json.loads(found)[key]) if key else str(found)

    def _open_stream(self, job: Job, stream: str) -> None:
        client, group = self._world.client("logs", job.region), job.log_group()
        options = job.container.get("logConfiguration", {}).get("options", {})
        if group == "/aws/batch/job" or options.get("awslogs-create-group") == "true":
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)


def argv(command: list[str]) -> list[str]:
    """The command as it is run here: the image's python is this interpreter."""
    if not command:
        raise ValueError("the job definition has no command, and there is no image here to have one")
    return [sys.executable, *command[1:]] if command[0] in ("python", "python3") else command


def _sum_up(parent: Job) -> None:
    """Give an array job the status that its children's come to."""
    states = {child.status for child in parent.children}
    if states <= {"SUCCEEDED", "FAILED"}:
        parent.end("FAILED" if "FAILED" in states else "SUCCEEDED", parent.cancelled)
        if "FAILED" in states and parent.reason is None:
            parent.reason = "Array Child Job failed"
    elif states & {*ACTIVE, "SUCCEEDED", "FAILED"}:
        parent.status = "RUNNING"
        parent.started = parent.started or now()
