"""EC2 instances and the launch templates that they start from."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import attributes, call, gone_is_done, pick, property_names, truth, wait
from aws_vpc.local.providers.ec2 import Description, Noun
from aws_vpc.local.providers.network import one
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name, undone

LAUNCH_TEMPLATE = Noun("launch_template", "LaunchTemplate")
TYPE = "AWS::EC2::Instance"


def create_template(request: ResourceRequest) -> ResourceState:
    """The new launch template."""
    given = pick(
        request.properties, "LaunchTemplateName LaunchTemplateData VersionDescription TagSpecifications"
    )
    named = {"LaunchTemplateName": name(request, maximum=128), **given}
    made = call(request.client("ec2"), "create_launch_template", named)["LaunchTemplate"]
    return template_state(request, made["LaunchTemplateId"])


def update_template(request: ResourceRequest) -> ResourceState:
    """The template with its next version when data changed; the default version stays where it was."""
    if request.changed("LaunchTemplateData", "VersionDescription"):
        given = pick(request.properties, "LaunchTemplateData VersionDescription")
        call(
            request.client("ec2"), "create_launch_template_version", {"LaunchTemplateId": request.id, **given}
        )
    return template_state(request, request.id)


def template_state(request: ResourceRequest, id: str) -> ResourceState:
    """The template's id and version numbers."""
    found = ec2.stable(request, LAUNCH_TEMPLATE, id)
    return ResourceState(id, attributes(request.type, found))


def delete_template(request: ResourceRequest) -> None:
    """Nothing; the template and its versions are gone."""
    ec2.delete(request, LAUNCH_TEMPLATE, request.id)


PLAIN = (
    "ImageId InstanceType KeyName SecurityGroupIds SecurityGroups SubnetId PrivateIpAddress Ipv6AddressCount "
    "Ipv6Addresses BlockDeviceMappings CpuOptions CreditSpecification DisableApiTermination "
    "EbsOptimized EnclaveOptions HibernationOptions InstanceInitiatedShutdownBehavior LaunchTemplate "
    "LicenseSpecifications MetadataOptions PrivateDnsNameOptions KernelId RamdiskId AdditionalInfo"
)
PLACEMENT = "AvailabilityZone Affinity GroupName=PlacementGroupName HostId HostResourceGroupArn Tenancy"
OTHERS = "IamInstanceProfile Monitoring NetworkInterfaces SourceDestCheck Tags UserData Volumes"


def user_data(properties: Mapping[str, Any]) -> bytes:
    """The user data in clear: the template states them in base64, boto3 encodes them again."""
    stated = str(properties.get("UserData", ""))
    try:
        return base64.b64decode(stated, validate=True)
    except binascii.Error:
        return stated.encode()


def image(request: ResourceRequest, stated: str) -> str:
    """The image id, looked up where `resolve:ssm:` names a parameter."""
    if not stated.startswith("resolve:ssm:"):
        return stated
    answer = request.client("ssm").get_parameter(Name=stated.removeprefix("resolve:ssm:"))
    return str(answer["Parameter"]["Value"])


def launch_parameters(request: ResourceRequest) -> dict[str, Any]:
    """The parameters of run-instances for the properties of the resource."""
    stated = request.properties
    given = pick(stated, PLAIN)
    if template := template_data(request):
        given = pick(template, PLAIN) | given
        stated = template | stated
    if "ImageId" in given:
        given["ImageId"] = image(request, given["ImageId"])
    if placement := pick(stated, PLACEMENT):
        given["Placement"] = placement
    if "IamInstanceProfile" in stated:
        given["IamInstanceProfile"] = profile(stated["IamInstanceProfile"])
    if "UserData" in stated:
        given["UserData"] = user_data(stated)
    if "Monitoring" in stated:
        given["Monitoring"] = monitoring(stated["Monitoring"])
    if "NetworkInterfaces" in stated:
        given["NetworkInterfaces"] = [interface(entry) for entry in stated["NetworkInterfaces"]]
    elif "SubnetId" in given:
        given = with_interface(given)
    tagged = ec2.tag_specification(request, "instance")
    return {**given, "MinCount": 1, "MaxCount": 1, "TagSpecifications": tagged or None}


def template_data(request: ResourceRequest) -> dict[str, Any]:
    """What the launch template that the properties name says; empty without one."""
    stated = request.properties.get("LaunchTemplate")
    if not stated:
        return {}
    named = pick(stated, "LaunchTemplateId LaunchTemplateName")
    versions = {"Versions": [str(stated.get("Version", "$Default"))]}
    found = call(request.client("ec2"), "describe_launch_template_versions", {**named, **versions})
    return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def profile(stated: Any) -> dict[str, Any]:
    """The instance profile as run-instances takes it: a resource names it, a template describes it."""
    if isinstance(stated, Mapping):
        return dict(stated)
    return {"Arn": stated} if str(stated).startswith("arn:") else {"Name": stated}


def monitoring(stated: Any) -> dict[str, Any]:
    """Detailed monitoring as run-instances takes it."""
    return dict(stated) if isinstance(stated, Mapping) else {"Enabled": stated}


OF_INTERFACE = "SubnetId PrivateIpAddress Ipv6AddressCount Ipv6Addresses"


def with_interface(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the first interface stated, so that it ends with the instance as on EC2.

    The groups stay where they are: moto describes an instance by those only, and gives them to the interface.
    """
    moved = property_names(OF_INTERFACE)
    first = {"DeviceIndex": 0, **pick(given, OF_INTERFACE)}
    rest = {key: value for key, value in given.items() if key not in moved}
    return {**rest, "NetworkInterfaces": [interface(first)]}


def interface(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The network interface of an instance as run-instances takes it, its end by default the instance's."""
    renamed = {("Groups" if key == "GroupSet" else key): value for key, value in stated.items()}
    ends = {} if "NetworkInterfaceId" in stated else {"DeleteOnTermination": True}
    return {**ends, **{key: value for key, value in renamed.items() if key != "AssociateCarrierIpAddress"}}


def describe(request: ResourceRequest, id: str) -> Description | None:
    """The instance as EC2 describes it; None when it is not there or terminated."""
    with gone_is_done():
        answer = request.client("ec2").describe_instances(InstanceIds=[id])
        for reservation in answer["Reservations"]:
            for found in reservation["Instances"]:
                return None if found["State"]["Name"] == "terminated" else dict(found)
    return None


def state(request: ResourceRequest, id: str) -> ResourceState:
    """The instance once it runs, or is stopped."""

    def look() -> Description | None:
        found = describe(request, id)
        return found if found and found["State"]["Name"] in ("running", "stopped") else None

    found = wait(look, f"instance {id}")
    zone = found["Placement"]["AvailabilityZone"]
    more = {
        "PrivateIp": found.get("PrivateIpAddress"),
        "PublicIp": found.get("PublicIpAddress", ""),
        "PublicDnsName": found.get("PublicDnsName", ""),
        "AvailabilityZone": zone,
        "State__Name": found["State"]["Name"],
        "State__Code": str(found["State"]["Code"]),
    }
    return ResourceState(id, attributes(TYPE, found, **more))


def launch(request: ResourceRequest) -> ResourceState:
    """The new instance, running, with its volumes attached."""
    made = call(request.client("ec2"), "run_instances", launch_parameters(request))
    id = str(made["Instances"][0]["InstanceId"])
    with undone(request, id, terminate):
        launched = state(request, id)
        if request.changed("SourceDestCheck"):
            modify(request, id, "SourceDestCheck", truth(request.properties["SourceDestCheck"]))
        for volume in request.properties.get("Volumes", []):
            where = pick(volume, "VolumeId Device")
            call(request.client("ec2"), "attach_volume", {"InstanceId": id, **where})
        return launched


def modify(request: ResourceRequest, id: str, key: str, value: Any) -> None:
    """Nothing; the one attribute of the instance has the value."""
    shaped = value if key == "Groups" else {"Value": value}
    call(request.client("ec2"), "modify_instance_attribute", {"InstanceId": id, key: shaped})


def update(request: ResourceRequest) -> ResourceState:
    """The instance after its changes: some need it stopped in between, as on AWS."""
    id, client, stated = request.id, request.client("ec2"), request.properties
    if request.changed("InstanceType", "UserData", "EbsOptimized"):
        change_stopped(request)
    if request.changed("SecurityGroupIds") and stated.get("SecurityGroupIds"):
        modify(request, id, "Groups", stated["SecurityGroupIds"])
    for key, default in (("SourceDestCheck", True), ("DisableApiTermination", False)):
        if request.changed(key):
            modify(request, id, key, stated.get(key, default))
    if request.changed("InstanceInitiatedShutdownBehavior"):
        modify(
            request,
            id,
            "InstanceInitiatedShutdownBehavior",
            stated.get("InstanceInitiatedShutdownBehavior", "stop"),
        )
    if request.changed("IamInstanceProfile"):
        change_profile(request)
    if request.changed("MetadataOptions") and stated.get("MetadataOptions"):
        call(client, "modify_instance_metadata_options", {"InstanceId": id, **stated["MetadataOptions"]})
    if request.changed("Monitoring"):
        way = "monitor" if truth(stated.get("Monitoring", False)) else "unmonitor"
        call(client, f"{way}_instances", {"InstanceIds": [id]})
    ec2.retag(request, id)
    return state(request, id)


def change_stopped(request: ResourceRequest) -> None:
    """Nothing; type, user data and EBS optimisation changed while the instance was stopped."""
    client, id, stated = request.client("ec2"), request.id, request.properties
    client.stop_instances(InstanceIds=[id])
    wait(
        lambda: (describe(request, id) or {}).get("State", {}).get("Name") == "stopped" or None,
        f"stop of {id}",
    )
    for key in ("InstanceType", "EbsOptimized"):
        if request.changed(key) and key in stated:
            modify(request, id, key, stated[key])
    if request.changed("UserData"):
        # moto decodes once more than EC2 does
        modify(request, id, "UserData", base64.b64encode(user_data(stated)))
    client.start_instances(InstanceIds=[id])


def change_profile(request: ResourceRequest) -> None:
    """Nothing; the instance has the instance profile stated, or none."""
    client = request.client("ec2")
    current = one(
        request,
        "describe_iam_instance_profile_associations",
        "IamInstanceProfileAssociations",
        instance_id=request.id,
    )
    wanted = request.properties.get("IamInstanceProfile")
    if current and wanted:
        given = {"AssociationId": current["AssociationId"], "IamInstanceProfile": profile(wanted)}
        client.replace_iam_instance_profile_association(**given)
    elif current:
        client.disassociate_iam_instance_profile(AssociationId=current["AssociationId"])
    elif wanted:
        client.associate_iam_instance_profile(InstanceId=request.id, IamInstanceProfile=profile(wanted))


def terminate(request: ResourceRequest) -> None:
    """Nothing; the instance is terminated."""
    with gone_is_done():
        request.client("ec2").terminate_instances(InstanceIds=[request.id])
        wait(lambda: True if describe(request, request.id) is None else None, f"end of {request.id}")


PROVIDERS = (
    Provider(
        "AWS::EC2::LaunchTemplate",
        property_names("LaunchTemplateName LaunchTemplateData VersionDescription TagSpecifications"),
        create_template,
        delete_template,
        update_template,
    ),
    Provider(
        TYPE,
        property_names(f"{PLAIN} {PLACEMENT} {OTHERS}"),
        launch,
        terminate,
        update,
        {
            "PropagateTagsToVolumeOnCreation": "nobody is billed for the volumes, nor looks for them by tag",
            "SsmAssociations": "no Systems Manager agent runs on the instance",
            "ElasticGpuSpecifications": "AWS has ended the service",
            "ElasticInferenceAccelerators": "AWS has ended the service",
        },
    ),
)
