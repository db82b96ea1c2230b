"""CodeDeploy applications, deployment groups and deployment configurations."""

from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, tag_list, tags
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name
from aws_vpc.local.providers.tagging import retag


def find_application(client: Any, id: str) -> Description:
    """The application as CodeDeploy has it."""
    return dict(client.get_application(applicationName=id)["application"])


def find_configuration(client: Any, id: str) -> Description:
    """The deployment configuration as CodeDeploy has it."""
    return dict(client.get_deployment_config(deploymentConfigName=id)["deploymentConfigInfo"])


APPLICATION = Kind(
    "codedeploy",
    "create_application",
    find_application,
    "delete_application",
    "applicationName",
    "ApplicationName",
    maximum=100,
)
CONFIGURATION = Kind(
    "codedeploy",
    "create_deployment_config",
    find_configuration,
    "delete_deployment_config",
    "deploymentConfigName",
    "DeploymentConfigName",
    maximum=100,
    tagged=False,
)
GROUP = (
    "ApplicationName DeploymentGroupName AlarmConfiguration AutoRollbackConfiguration AutoScalingGroups "
    "BlueGreenDeploymentConfiguration DeploymentConfigName DeploymentStyle ECSServices Ec2TagFilters "
    "Ec2TagSet "
    "LoadBalancerInfo OnPremisesInstanceTagFilters OnPremisesTagSet OutdatedInstancesStrategy ServiceRoleArn "
    "TerminationHookEnabled TriggerConfigurations"
)


def group_parameters(request: ResourceRequest) -> Description:
    """The parameters of the deployment group, its tag sets as the API's lists of lists."""
    given = pick(request.properties, GROUP)
    if "Ec2TagSet" in given:
        sets = given["Ec2TagSet"].get("Ec2TagSetList", [])
        given["Ec2TagSet"] = {"ec2TagSetList": [entry["Ec2TagGroup"] for entry in sets]}
    if "OnPremisesTagSet" in given:
        sets = given["OnPremisesTagSet"].get("OnPremisesTagSetList", [])
        given["OnPremisesTagSet"] = {"onPremisesTagSetList": [entry["OnPremisesTagGroup"] for entry in sets]}
    return given


def arn(request: ResourceRequest, kind: str, id: str) -> str:
    """The ARN that the tag operations take."""
    return f"arn:aws:codedeploy:{request.region}:{request.account}:{kind}:{id}"


def create_group(request: ResourceRequest) -> ResourceState:
    """The new deployment group, and its first deployment where one is stated."""
    given = group_parameters(request)
    given.setdefault("DeploymentGroupName", name(request, maximum=100))
    client = request.client("codedeploy")
    call(client, "create_deployment_group", {**given, "Tags": tag_list(tags(request)) or None})
    release(request, given["DeploymentGroupName"])
    return ResourceState(given["DeploymentGroupName"])


def release(request: ResourceRequest, group: str) -> None:
    """Nothing; the deployment that the template states for the group is under way."""
    if request.changed("Deployment") and (stated := request.properties.get("Deployment")):
        given = pick(stated, "Description IgnoreApplicationStopFailures Revision")
        target = {"ApplicationName": request.properties["ApplicationName"], "DeploymentGroupName": group}
        call(request.client("codedeploy"), "create_deployment", {**target, **given})


def update_group(request: ResourceRequest) -> ResourceState:
    """The deployment group as it is now stated."""
    given = group_parameters(request)
    given.pop("DeploymentGroupName", None)
    client, named = request.client("codedeploy"), {"CurrentDeploymentGroupName": request.id}
    call(client, "update_deployment_group", {**given, **named})
    application = request.properties["ApplicationName"]
    retag(request, "codedeploy", arn(request, "deploymentgroup", f"{application}/{request.id}"))
    release(request, request.id)
    return ResourceState(request.id)


def delete_group(request: ResourceRequest) -> None:
    """Nothing; the deployment group is gone."""
    with gone_is_done():
        request.client("codedeploy").delete_deployment_group(
            applicationName=request.properties["ApplicationName"], deploymentGroupName=request.id
        )


PROVIDERS = (
    resource(
        "AWS::CodeDeploy::Application",
        APPLICATION,
        "ApplicationName ComputePlatform",
        tag_name=lambda request, id: arn(request, "application", id),
    ),
    Provider(
        "AWS::CodeDeploy::DeploymentGroup",
        property_names(f"{GROUP} Deployment Tags"),
        create_group,
        delete_group,
        update_group,
    ),
    resource(
        "AWS::CodeDeploy::DeploymentConfig",
        CONFIGURATION,
        "DeploymentConfigName ComputePlatform MinimumHealthyHosts TrafficRoutingConfig ZonalConfig",
    ),
)
