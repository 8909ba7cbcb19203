#!/usr/bin/python
# Copyright: The hft authors. Apache-2.0.
"""Runs hft tune for one host of an inventory, through its agent."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hft_tune
short_description: Brings a host to a profile of hft, through its agent
description:
  - Runs C(hft tune --dry-run), and C(hft tune) where something differs, on the controller.
  - Every change is journaled on the host and can be undone by C(hft rollback).
  - In check mode, and for the diff, the plan says what would be changed.
options:
  host:
    description: The host, by its name in the inventory.
    type: str
    required: true
  inventory:
    description: The inventories that have it, which hft reads by itself.
    type: list
    elements: path
    required: true
  hft:
    description: The hft of the controller.
    type: str
    default: hft
  profile:
    description: A shipped profile, or a YAML file on the controller.
    type: str
    required: true
  only:
    description: Only these domains.
    type: list
    elements: str
    default: []
  skip:
    description: Not these domains.
    type: list
    elements: str
    default: []
  reboot:
    description: Reboot the host where a kernel argument needs it, and wait until it is as wanted.
    type: bool
    default: false
author: The hft authors (@hft)
"""

EXAMPLES = r"""
- name: Bring the host to its profile
  hft_tune:
    host: "{{ inventory_hostname }}"
    inventory: ["{{ inventory_file }}"]
    profile: colo
  delegate_to: localhost
"""

RETURN = r"""
changes:
  description: What was changed, or would be, by id.
  type: list
  returned: always
reboot_required:
  description: Whether the host is right but for a reboot.
  type: bool
  returned: always
refused:
  description: What the profile wants and this host cannot have, with reasons.
  type: list
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hft_cli import AS_WANTED, COMMON, ask


def scope_of(params):
    words = ["--profile", params["profile"]]
    for flag in ("only", "skip"):
        if params[flag]:
            words += ["--" + flag, ",".join(params[flag])]
    return words


def show(changes, which):
    return "".join("%s = %s\n" % (each["id"], "-" if each[which] is None else each[which]) for each in changes)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMON,
            profile=dict(type="str", required=True),
            only=dict(type="list", elements="str", default=[]),
            skip=dict(type="list", elements="str", default=[]),
            reboot=dict(type="bool", default=False),
        ),
        supports_check_mode=True,
    )
    _code, planned = ask(module, ["tune", "--dry-run"] + scope_of(module.params))
    plan = planned["hosts"][0]["result"]["plan"]
    changes = plan["changes"]
    answer = dict(
        changes=[each["id"] for each in changes],
        refused=plan["refused"],
        reboot_required=plan["reboot"],
        diff=dict(before=show(changes, "current"), after=show(changes, "desired")),
    )
    reboots = module.params["reboot"] and plan["reboot"]
    if module.check_mode or (not changes and not reboots):
        module.exit_json(changed=len(changes) > 0 or reboots, **answer)
    words = ["tune", "--yes"] + scope_of(module.params) + (["--reboot"] if module.params["reboot"] else [])
    code, tuned = ask(module, words)
    outcome = tuned["hosts"][0]
    if outcome["exitCode"] not in AS_WANTED or outcome["outcome"] not in ("done", "pending-reboot"):
        module.fail_json(msg="%s: %s" % (outcome["outcome"], outcome["why"]), rc=code, outcome=outcome)
    answer["reboot_required"] = outcome["outcome"] == "pending-reboot"
    module.exit_json(changed=True, **answer)


if __name__ == "__main__":
    main()
