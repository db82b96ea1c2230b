"""AWS Batch: moto keeps compute environments, queues and definitions; jobs are ours, and really run."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.batch_job import Job, overridden
from aws_vpc.local.batch_runner import Runner
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError
from aws_vpc.local.world import World

PATHS = {
    "/v1/submitjob": "SubmitJob",
    "/v1/describejobs": "DescribeJobs",
    "/v1/listjobs": "ListJobs",
    "/v1/terminatejob": "TerminateJob",
    "/v1/canceljob": "CancelJob",
}
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


def handler(world: World) -> Handler:
    """Batch: jobs here, all else moto's."""
    jobs = Jobs(world)
    runner = jobs.runner
    world.keep("batch", runner, "jobs", resume=runner.resume)

    def handle(request: Request, forward: Forward) -> Response:
        name = PATHS.get(request.path)
        if name is None:
            return _forwarded(jobs, request, forward)
        _, params = wire.parse("batch", request)
        return wire.answer("batch", name, jobs.operations[name](request.region, params))

    return handle


def _forwarded(jobs: Jobs, request: Request, forward: Forward) -> Response:
    """moto's answer; the jobs of a queue that it deletes end, as on AWS."""
    queue = None
    if request.path == "/v1/deletejobqueue":
        named = wire.parse("batch", request)[1].get("jobQueue", "")
        queue = jobs.find_queue(request.region, named, missing_ok=True)
    response = forward(request)
    if queue and response.status == 200:
        for job in jobs.of(queue["jobQueueArn"]):
            jobs.runner.stop(job, "Job queue deleted", terminate=True)
    if request.path == "/v1/updatecomputeenvironment" and response.status == 200:
        _update_resources(jobs.world, request)
    return response


def _update_resources(world: World, request: Request) -> None:
    """The compute resources of an environment are as the update states, which moto does not apply."""
    from moto.batch.models import batch_backends

    params = wire.parse("batch", request)[1]
    backend = batch_backends[world.account][request.region]
    found = backend.get_compute_environment(params["computeEnvironment"])
    if found is not None and params.get("computeResources"):
        found.compute_resources = {**(found.compute_resources or {}), **params["computeResources"]}


class Jobs:
    """The five operations on jobs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runner = Runner(world)
        self.operations: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
            "SubmitJob": self.submit,
            "DescribeJobs": self.describe,
            "ListJobs": self.list,
            "TerminateJob": self.terminate,
            "CancelJob": self.cancel,
        }

    def of(self, queue: str) -> list[Job]:
        """The jobs of a queue, the youngest first, without the children of array jobs."""
        with self.runner.lock:
            found = [job for job in self.runner.jobs.values() if job.queue == queue and job.index is None]
        return found[::-1]

    def submit(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Take on a job of the definition, with what this request overrides."""
        if not JOB_NAME.fullmatch(params["jobName"]):
            raise _client_error("Job name should match valid pattern")
        definition = self._definition(region, params["jobDefinition"])
        queue = self.find_queue(region, params["jobQueue"])
        if queue["state"] != "ENABLED":
            raise _client_error("Job queue is not in ENABLED state")
        job = self._job(region, params, definition, queue)
        size = params.get("arrayProperties", {}).get("size")
        if size is not None:
            _make_children(job, size, params.get("dependsOn", []))
        self.runner.submit(job)
        return {"jobArn": job.arn, "jobId": job.id, "jobName": job.name}

    def _job(self, region: str, params: dict[str, Any], definition: Any, queue: Any) -> Job:
        known = str(uuid.uuid4())
        retry = params.get("retryStrategy") or definition.get("retryStrategy") or {}
        timeout = params.get("timeout") or definition.get("timeout") or {}
        container = overridden(
            definition.get("containerProperties", {}), params.get("containerOverrides", {})
        )
        for depended in params.get("dependsOn", []):
            if "jobId" in depended and depended["jobId"] not in self.runner.jobs:
                raise _client_error(f"Job {depended['jobId']} does not exist")
        return Job(
            id=known,
            arn=f"arn:aws:batch:{region}:{self.world.account}:job/{known}",
            name=params["jobName"],
            queue=queue["jobQueueArn"],
            definition=definition["jobDefinitionArn"],
            region=region,
            parameters={**definition.get("parameters", {}), **params.get("parameters", {})},
            container=container,
            limit=self._vcpus(region, queue),
            compute=queue["computeEnvironmentOrder"][0]["computeEnvironment"].rpartition("/")[2],
            retries=retry.get("attempts", 1),
            conditions=retry.get("evaluateOnExit", []),
            timeout=timeout.get("attemptDurationSeconds"),
            depends=params.get("dependsOn", []),
            tags=params.get("tags", {}),
        )

    def _definition(self, region: str, named: str) -> Any:
        """The job definition: a revision by ARN or name:revision, or the newest active one by name."""
        client = self.world.client("batch", region)
        exact = ":" in named.rpartition("/")[2]
        asked = {"jobDefinitions": [named]} if exact else {"jobDefinitionName": named.rpartition("/")[2]}
        found = client.describe_job_definitions(**asked)["jobDefinitions"]
        found = [each for each in found if each["status"] == "ACTIVE"]
        if not found:
            raise _client_error(f"JobDefinition {named} not found")
        return max(found, key=lambda each: each["revision"])

    def find_queue(self, region: str, named: str, *, missing_ok: bool = False) -> Any:
        """The queue by name or ARN, as DescribeJobQueues tells it."""
        client = self.world.client("batch", region)
        found = client.describe_job_queues(jobQueues=[named])["jobQueues"] if named else []
        if not found and not missing_ok:
            raise _client_error(f"JobQueue {named} not found")
        return found[0] if found else None

    def _vcpus(self, region: str, queue: Any) -> float:
        """How many vCPUs the compute environments of a queue may use together."""
        named = [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
        client = self.world.client("batch", region)
        found = client.describe_compute_environments(computeEnvironments=named)["computeEnvironments"]
        return float(sum(each.get("computeResources", {}).get("maxvCpus", 256) for each in found))

    def describe(self, _region: str, params: dict[str, Any]) -> dict[str, Any]:
        """The jobs asked for, those that exist."""
        with self.runner.lock:
            found = [self.runner.jobs.get(each.rpartition("job/")[2]) for each in params["jobs"]]
            return {"jobs": [job.detail() for job in found if job]}

    def list(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """One page of the jobs of a queue or of an array job."""
        if params.get("arrayJobId"):
            parent = self.runner.jobs.get(params["arrayJobId"])
            found = list(parent.children) if parent else []
        elif params.get("jobQueue"):
            found = self.of(self.find_queue(region, params["jobQueue"])["jobQueueArn"])
        else:
            raise _client_error("jobQueue, arrayJobId or multiNodeJobId must be given")
        with self.runner.lock:
            found = [job for job in found if _wanted(job, params)]
            return _page([job.summary() for job in found], params)

    def terminate(self, _region: str, params: dict[str, Any]) -> dict[str, Any]:
        """End a job, whatever it does."""
        return self._stop(params, terminate=True)

    def cancel(self, _region: str, params: dict[str, Any]) -> dict[str, Any]:
        """End a job that has not started yet."""
        return self._stop(params, terminate=False)

    def _stop(self, params: dict[str, Any], *, terminate: bool) -> dict[str, Any]:
        job = self.runner.jobs.get(params["jobId"].rpartition("job/")[2])
        if job:  # an unknown one is no error on AWS either
            self.runner.stop(job, params["reason"], terminate=terminate)
        return {}


def _make_children(parent: Job, size: int, depends: list[dict[str, str]]) -> None:
    if not 2 <= size <= 10_000:
        raise _client_error("Array size must be between 2 and 10,000")
    kinds = {each.get("type") for each in depends}
    for index in range(size):
        needed = [
            {"jobId": each["jobId"]} for each in depends if each.get("jobId") and each.get("type") != "N_TO_N"
        ]
        needed += [{"jobId": f"{each['jobId']}:{index}"} for each in depends if each.get("type") == "N_TO_N"]
        if "SEQUENTIAL" in kinds and index:
            needed.append({"jobId": f"{parent.id}:{index - 1}"})
        child = replace(
            parent,
            id=f"{parent.id}:{index}",
            arn=f"{parent.arn}:{index}",
            index=index,
            depends=needed,
            children=[],
            attempts=[],
        )
        parent.children.append(child)
    parent.depends = [each for each in depends if each.get("jobId") and each.get("type") != "N_TO_N"]


def _wanted(job: Job, params: dict[str, Any]) -> bool:
    filters = {each["name"]: each["values"] for each in params.get("filters", [])}
    status = params.get("jobStatus")
    if not filters:
        return job.status == (status or "RUNNING")
    checks: dict[str, Callable[[str], bool]] = {
        "JOB_NAME": lambda v: _starts(job.name, v),
        "JOB_DEFINITION": lambda v: _starts(job.definition.rpartition("/")[2], v.rpartition("/")[2]),
        "BEFORE_CREATED_AT": lambda v: job.created < int(v),
        "AFTER_CREATED_AT": lambda v: job.created > int(v),
    }
    unknown = filters.keys() - checks.keys()
    if unknown:
        raise _client_error(f"Unsupported filter: {', '.join(sorted(unknown))}")
    return all(any(checks[name](value) for value in values) for name, values in filters.items())


def _starts(text: str, pattern: str) -> bool:
    text, pattern = text.lower(), pattern.lower()
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return pattern in (text, text.partition(":")[0])


def _page(rows: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    size = params.get("maxResults") or 1000
    start = int(params.get("nextToken") or 0)
    more = {"nextToken": str(start + size)} if start + size < len(rows) else {}
    return {"jobSummaryList": rows[start : start + size], **more}


def _client_error(message: str) -> ServiceError:
    return ServiceError("ClientException", message)
