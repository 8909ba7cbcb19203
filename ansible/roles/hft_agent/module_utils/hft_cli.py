# Copyright: The hft authors. Apache-2.0.
"""hft as the modules of this role start it: one command, its JSON, its exit code."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# docs/ARCHITECTURE.md: 0 as wanted, 1 differs, 5 right but for a reboot. Everything else is a failure.
AS_WANTED = (0, 1, 5)

COMMON = dict(
    host=dict(type="str", required=True),
    inventory=dict(type="list", elements="path", required=True),
    hft=dict(type="str", default="hft"),
)


def ask(module, words):
    """The exit code, and what hft printed of the host; ends the module where that is an error."""
    params = module.params
    argv = [params["hft"]] + words
    for inventory in params["inventory"]:
        argv += ["--inventory", inventory]
    argv += ["--limit", params["host"], "--json"]
    code, out, err = module.run_command(argv)
    try:
        answer = json.loads(out)
    except ValueError:
        module.fail_json(msg="hft printed no JSON", cmd=argv, rc=code, stdout=out, stderr=err)
    error = answer.get("error")
    hosts = answer.get("hosts")
    if error is None and hosts:
        error = hosts[0].get("error")
    if error is not None:
        module.fail_json(msg=" ".join([error["message"]] + error.get("next", [])), cmd=argv, rc=code)
    return code, answer
