"""Configuration: every key documented and checked where it is defined; read once, then frozen.

A value comes from, last wins: the default in ``sections``, one TOML file, the environment
(``CHEESESHOP_<SECTION>_<KEY>``), the command line. A key nobody knows, or a value that is not allowed, stops
the start with a sentence naming key, value and what is allowed; all such sentences are reported together.
"""

from pypi.config.load import ConfigError, load
from pypi.config.sections import Config
from pypi.config.show import hide_password, shown

__all__ = ["Config", "ConfigError", "hide_password", "load", "shown"]
