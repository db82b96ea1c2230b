"""What instances are made with: interfaces, addresses, volumes, key pairs."""

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, truth
from aws_vpc.local.providers.ec2 import Description, Noun
from aws_vpc.local.providers.network import one
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, undone

INTERFACE = Noun("network_interface", "NetworkInterface")
VOLUME = Noun("volume", "Volume")
KEY_PARAMETER = "/ec2/keypair/"  # where CloudFormation puts the private half, followed by the key's id


def settle_interface(request: ResourceRequest, id: str) -> None:
    """Nothing; description, groups and source check are as stated, one call each."""
    client = request.client("ec2")
    key = {"NetworkInterfaceId": id}
    if request.changed("SourceDestCheck"):
        value = truth(request.properties.get("SourceDestCheck", True))
        call(client, "modify_network_interface_attribute", {**key, "SourceDestCheck": {"Value": value}})
    if request.previous is None:
        return
    if request.changed("Description"):
        value = request.properties.get("Description", "")
        call(client, "modify_network_interface_attribute", {**key, "Description": {"Value": value}})
    if request.changed("GroupSet") and request.properties.get("GroupSet"):
        call(client, "modify_network_interface_attribute", {**key, "Groups": request.properties["GroupSet"]})


def interface_attributes(request: ResourceRequest, interface: Description) -> Description:
    """The interface's private addresses."""
    addresses = interface.get("PrivateIpAddresses", [])
    return {
        "PrimaryPrivateIpAddress": interface.get("PrivateIpAddress"),
        "SecondaryPrivateIpAddresses": [
            entry["PrivateIpAddress"] for entry in addresses if not entry.get("Primary")
        ],
    }


def allocate(request: ResourceRequest) -> ResourceState:
    """The new address, 127.0.0.1 for an instance when that is free: there its server listens."""
    given = {"Domain": "vpc"} | pick(request.properties, "Domain Address PublicIpv4Pool NetworkBorderGroup")
    if "InstanceId" in request.properties and not one(
        request, "describe_addresses", "Addresses", public_ip="127.0.0.1"
    ):
        given = {"Address": "127.0.0.1", **given}
    tagged = ec2.tag_specification(request, "elastic-ip") or None
    made = call(request.client("ec2"), "allocate_address", {**given, "TagSpecifications": tagged})
    with undone(request, made["PublicIp"], release):
        attach_address(request, made["AllocationId"])
    return ResourceState(made["PublicIp"], pick(made, "PublicIp AllocationId"))


def attach_address(request: ResourceRequest, allocation: str) -> None:
    """Nothing; the address belongs to the instance that the properties name, if they name one."""
    if instance := request.properties.get("InstanceId"):
        request.client("ec2").associate_address(AllocationId=allocation, InstanceId=instance)


def release_from(request: ResourceRequest, address: Description) -> None:
    """Nothing; the address belongs to no interface."""
    if association := address.get("AssociationId"):
        with gone_is_done():
            request.client("ec2").disassociate_address(AssociationId=association)


def update_address(request: ResourceRequest) -> ResourceState:
    """The address with its tags, at the instance now stated."""
    address = one(request, "describe_addresses", "Addresses", public_ip=request.id)
    if request.changed("InstanceId"):
        release_from(request, address)
        attach_address(request, address["AllocationId"])
    ec2.retag(request, address["AllocationId"])
    return ResourceState(request.id, pick(address, "PublicIp AllocationId"))


def release(request: ResourceRequest) -> None:
    """Nothing; the address is given back."""
    address = one(request, "describe_addresses", "Addresses", public_ip=request.id)
    if address:
        release_from(request, address)
        with gone_is_done():
            request.client("ec2").release_address(AllocationId=address["AllocationId"])


def associate_address(request: ResourceRequest) -> ResourceState:
    """The association of an address with an instance or an interface."""
    given = pick(
        request.properties, "AllocationId PublicIp=EIP InstanceId NetworkInterfaceId PrivateIpAddress"
    )
    id = call(request.client("ec2"), "associate_address", given)["AssociationId"]
    return ResourceState(id, {"Id": id})


def disassociate_address(request: ResourceRequest) -> None:
    """Nothing; the association is dissolved."""
    release_from(request, {"AssociationId": request.id})


def settle_volume(request: ResourceRequest, id: str) -> None:
    """Nothing; size, type and speed are as stated."""
    if request.previous is not None and request.changed("Size", "VolumeType", "Iops", "Throughput"):
        given = pick(request.properties, "Size VolumeType Iops Throughput")
        call(request.client("ec2"), "modify_volume", {"VolumeId": id, **given})


def create_key(request: ResourceRequest) -> ResourceState:
    """The new key pair; the private half of a generated one is kept in Parameter Store as AWS does."""
    client, given = request.client("ec2"), pick(request.properties, "KeyName PublicKeyMaterial")
    tagged = {"TagSpecifications": ec2.tag_specification(request, "key-pair") or None}
    if "PublicKeyMaterial" in given:
        made = call(client, "import_key_pair", given | tagged)
    else:
        made = call(client, "create_key_pair", given | tagged | pick(request.properties, "KeyType KeyFormat"))
        request.client("ssm").put_parameter(
            Name=KEY_PARAMETER + made["KeyPairId"], Value=made["KeyMaterial"], Type="SecureString"
        )
    found = pick(made, "KeyPairId KeyFingerprint")
    return ResourceState(made["KeyName"], found)


def delete_key(request: ResourceRequest) -> None:
    """Nothing; the key pair and its kept private half are gone."""
    with gone_is_done():
        found = request.client("ec2").describe_key_pairs(KeyNames=[request.id])["KeyPairs"]
        request.client("ec2").delete_key_pair(KeyName=request.id)
        with gone_is_done():
            request.client("ssm").delete_parameter(Name=KEY_PARAMETER + found[0]["KeyPairId"])


PROVIDERS = (
    ec2.resource(
        "AWS::EC2::NetworkInterface",
        INTERFACE,
        "SubnetId Description Groups=GroupSet PrivateIpAddress PrivateIpAddresses InterfaceType "
        "SecondaryPrivateIpAddressCount Ipv6AddressCount Ipv6Addresses",
        set_later="SourceDestCheck",
        settle=settle_interface,
        more=interface_attributes,
    ),
    Provider(
        "AWS::EC2::EIP",
        property_names("Domain Address PublicIpv4Pool NetworkBorderGroup InstanceId Tags"),
        allocate,
        release,
        update_address,
    ),
    Provider(
        "AWS::EC2::EIPAssociation",
        property_names("AllocationId EIP InstanceId NetworkInterfaceId PrivateIpAddress"),
        associate_address,
        disassociate_address,
    ),
    ec2.resource(
        "AWS::EC2::Volume",
        VOLUME,
        "AvailabilityZone Size VolumeType Iops Throughput Encrypted KmsKeyId SnapshotId MultiAttachEnabled",
        settle=settle_volume,
    ),
    Provider(
        "AWS::EC2::KeyPair",
        property_names("KeyName KeyType KeyFormat PublicKeyMaterial Tags"),
        create_key,
        delete_key,
    ),
)
