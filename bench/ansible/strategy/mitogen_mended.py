"""Mitogen's linear strategy, as Debian 12 has it (0.3.3), with one mend: the name of a module that Ansible takes from
facts, as for services, is a string that it calls unsafe, of a class which no target can unpickle. It becomes a plain one."""
import ansible_mitogen.loaders
import ansible_mitogen.planner
import ansible_mitogen.strategy

_original = ansible_mitogen.planner.Invocation.__init__


def _init(self, action, connection, module_name, *rest, **named):
    _original(self, action, connection, "".join(list(module_name)), *rest, **named)


ansible_mitogen.planner.Invocation.__init__ = _init

Base = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, Base):
    pass
