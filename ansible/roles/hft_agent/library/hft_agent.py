#!/usr/bin/python
# Copyright: The hft authors. Apache-2.0.
"""Runs hft agent install and uninstall for one host of an inventory."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hft_agent
short_description: Installs hft and its agent on a host, or takes it away
description:
  - Runs C(hft agent install) or C(hft agent uninstall) on the controller, which goes to the host over SSH.
  - The host needs sshd and systemd, and no Python.
  - In check mode the steps that are missing are listed, and nothing is done.
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
  state:
    description: Whether the agent is to be there.
    type: str
    choices: [present, absent]
    default: present
  package:
    description: Packages that C(npm run package) made. Without any, those in C(out) of the controller's hft.
    type: list
    elements: path
    default: []
  listen:
    description: Where the agent listens. Without it as it is, else loopback.
    type: str
  metrics:
    description: Where the agent gives its metrics, or C(off). Without it as it is.
    type: str
  role:
    description: What this controller may ask for.
    type: str
    choices: [viewer, operator, admin]
  controller:
    description: Who this controller is, for the agent's log.
    type: str
  ssh_config:
    description: An ssh_config instead of the user's.
    type: path
  keep_state:
    description: Whether C(absent) leaves the journal, and what is in force.
    type: bool
    default: false
author: The hft authors (@hft)
"""

EXAMPLES = r"""
- name: Install the agent
  hft_agent:
    host: "{{ inventory_hostname }}"
    inventory: ["{{ inventory_file }}"]
    listen: 10.1.0.7
  delegate_to: localhost
"""

RETURN = r"""
steps:
  description: What was done, or would be; each with C(step), C(from) and C(to).
  type: list
  returned: state is present
public_key:
  description: The public key of the agent.
  type: str
  returned: state is present and not in check mode
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hft_cli import COMMON, ask


def words_of(module):
    params = module.params
    words = ["agent", "install" if params["state"] == "present" else "uninstall"]
    words += ["--dry-run"] if module.check_mode else ["--yes"]
    if params["ssh_config"]:
        words += ["--ssh-config", params["ssh_config"]]
    if params["state"] == "absent":
        return words + (["--keep-state"] if params["keep_state"] else [])
    for package in params["package"]:
        words += ["--package", package]
    for flag, name in (("--listen", "listen"), ("--metrics", "metrics"), ("--role", "role"), ("--name", "controller")):
        if params[name]:
            words += [flag, params[name]]
    return words


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMON,
            state=dict(type="str", choices=["present", "absent"], default="present"),
            package=dict(type="list", elements="path", default=[]),
            listen=dict(type="str"),
            metrics=dict(type="str"),
            role=dict(type="str", choices=["viewer", "operator", "admin"]),
            controller=dict(type="str"),
            ssh_config=dict(type="path"),
            keep_state=dict(type="bool", default=False),
        ),
        supports_check_mode=True,
    )
    _code, answer = ask(module, words_of(module))
    result = answer["hosts"][0]["result"]
    if module.params["state"] == "present":
        steps = result["steps"]
        before = ["%s: %s" % (each["step"], each["from"]) for each in steps if each["from"] is not None]
        after = ["%s: %s" % (each["step"], each["to"]) for each in steps]
        extra = dict(steps=steps, public_key=result["publicKey"])
        changed = len(steps) > 0
    else:
        before, after = result["removes"], result["keeps"]
        extra = dict(left=result["left"])
        changed = len(result["removes"]) > 0 or result["unpins"]
    diff = dict(before="\n".join(before + [""]), after="\n".join(after + [""]))
    module.exit_json(changed=changed, diff=diff, **extra)


if __name__ == "__main__":
    main()
