"""The values in Redshift's parameter groups, which moto makes and deletes but cannot fill.

The defaults are those of the family redshift-1.0 and redshift-2.0 (Amazon Redshift Management Guide,
"Amazon Redshift parameter groups").
"""

from __future__ import annotations

from typing import Any

from aws_vpc.local.wire import Forward, Request, Response, ServiceError, answer

Result = dict[str, Any]
DEFAULTS = {
    "auto_analyze": "true",
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "false",
    "extra_float_digits": "0",
    "max_concurrency_scaling_clusters": "1",
    "query_group": "default",
    "require_ssl": "false",
    "search_path": "$user, public",
    "statement_timeout": "0",
    "use_fips_ssl": "false",
    "wlm_json_configuration": '[{"auto_wlm":true}]',
}
STATUS = (
    "Your parameter group has been updated. If you changed only dynamic parameters, associated clusters are"
    " being modified now. If you changed static parameters, all updates, including dynamic parameters,"
    " will be applied when you reboot the associated clusters."
)


class ParameterGroups:
    """What was set in each group, by Region and name."""

    def __init__(self) -> None:
        self._set: dict[tuple[str, str], dict[str, str]] = {}

    def modify(self, request: Request, forward: Forward, asked: Result) -> Response:
        """Set the parameters that are named."""
        given = {p["ParameterName"]: p.get("ParameterValue", "") for p in asked.get("Parameters") or ()}
        self._known(given)
        self._group(request, asked).update(given)
        return self._changed("ModifyClusterParameterGroup", asked)

    def reset(self, request: Request, forward: Forward, asked: Result) -> Response:
        """Give the parameters that are named, or all, their defaults again."""
        group = self._group(request, asked)
        names = [p["ParameterName"] for p in asked.get("Parameters") or ()]
        for name in list(group) if asked.get("ResetAllParameters") else names:
            group.pop(name, None)
        return self._changed("ResetClusterParameterGroup", asked)

    def describe(self, request: Request, forward: Forward, asked: Result) -> Response:
        """The parameters of a group, those set by the user or the engine's own."""
        group = self._group(request, asked)
        wanted = asked.get("Source")
        listed = [
            {
                "ParameterName": name,
                "ParameterValue": group.get(name, value),
                "Source": source,
                "DataType": "string",
                "ApplyType": "static",
                "IsModifiable": True,
            }
            for name, value in DEFAULTS.items()
            if (source := "user" if name in group else "engine-default") == (wanted or source)
        ]
        return answer("redshift", "DescribeClusterParameters", {"Parameters": listed})

    def forget(self, request: Request, forward: Forward, asked: Result) -> Response:
        """moto's answer to the deletion of a group."""
        response = forward(request)
        if response.status == 200:
            self._set.pop((request.region, asked["ParameterGroupName"]), None)
        return response

    def _group(self, request: Request, asked: Result) -> dict[str, str]:
        return self._set.setdefault((request.region, asked["ParameterGroupName"]), {})

    @staticmethod
    def _known(given: dict[str, str]) -> None:
        for name in given:
            if name not in DEFAULTS:
                text = f"Could not find parameter with name: {name}"
                raise ServiceError("InvalidParameterValue", text)

    @staticmethod
    def _changed(operation: str, asked: Result) -> Response:
        result = {"ParameterGroupName": asked["ParameterGroupName"], "ParameterGroupStatus": STATUS}
        return answer("redshift", operation, result)
