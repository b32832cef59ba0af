"""What Ansible itself makes of inventories, by the code of `ansible-inventory --list` and of `--limit`.

Standard input: {"inventories": [{"text", "limits": [pattern, …]}, …], "texts": [text, …]}, as JSON.
Standard output: {"inventories": […], "texts": {text: how Python reads it as a value}}; each inventory is
{"refused": why} or {"groups", "vars", "members", "limits", "warnings"}: `groups` and `vars` as --list has them (a value
that is no text is {"python": its repr}), `members` the hosts of each group and of those below it, `limits` the hosts a pattern
leaves, or {"refused": why}.
"""
import ast
import atexit
import json
import os
import shutil
import sys
import tempfile
import warnings

folder = tempfile.mkdtemp(prefix="comps-oracle-")
# Before Ansible's own, so that it runs behind them.
atexit.register(shutil.rmtree, folder, ignore_errors=True)
config = os.path.join(folder, "ansible.cfg")
open(config, "w").close()
os.environ.update(
    ANSIBLE_CONFIG=config,
    ANSIBLE_HOME=folder,
    ANSIBLE_LOCAL_TEMP=folder,
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true",
    # Others look at the name of a file and pass; each start of one costs time.
    ANSIBLE_INVENTORY_ENABLED="ini",
    ANSIBLE_VARS_ENABLED="",
)
os.chdir(folder)
warnings.simplefilter("ignore")

from ansible.cli.inventory import InventoryCLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

said = []
Display.warning = lambda self, msg, formatted=False: said.append(str(msg).strip())
cli = InventoryCLI(["ansible-inventory", "-i", "hosts.ini", "--list"])
cli.parse()


def plain(value):
    return value if isinstance(value, str) else {"python": repr(value)}


def limited(manager, pattern):
    try:
        manager.clear_pattern_cache()
        manager.clear_caches()
        said.clear()
        manager.subset(pattern)
        names = [str(host) for host in manager.get_hosts("all")]
        return {"hosts": names, "warnings": said[:]}
    except (AnsibleError, IndexError) as error:
        return {"refused": str(error)}
    finally:
        manager.subset(None)


def listed(path, limits):
    said.clear()
    try:
        loader = DataLoader()
        manager = InventoryManager(loader=loader, sources=[path])
        cli.loader, cli.inventory = loader, manager
        cli.vm = VariableManager(loader=loader, inventory=manager, version_info=InventoryCLI.version_info(gitinfo=False))
        found = cli.json_inventory(manager.groups["all"])
    except Exception as error:
        return {"refused": " ".join([str(error), *said])}
    told = said[:]
    hosts = found.pop("_meta")["hostvars"]
    return {
        "groups": found,
        "vars": {host: {key: plain(value) for key, value in own.items()} for host, own in hosts.items()},
        "members": manager.get_groups_dict(),
        "warnings": told,
        "limits": {pattern: limited(manager, pattern) for pattern in limits},
    }


def read(text):
    try:
        return plain(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return text


wanted = json.load(sys.stdin)
found = []
for number, one in enumerate(wanted["inventories"]):
    path = os.path.join(folder, f"{number}.ini")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(one["text"])
    found.append(listed(path, one.get("limits", [])))
json.dump({"inventories": found, "texts": {text: read(text) for text in wanted.get("texts", [])}}, sys.stdout)
