"""The options of create and run about the log of what the program writes."""

from __future__ import annotations

from tiffin.cli import units
from tiffin.cli.options import many, text
from tiffin.errors import BadParameter
from tiffin.model.host_config import LogConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.cli.options import Given
    from tiffin.model.host_config import HostConfig

LOG_DRIVERS = ("json-file", "none")
LOG_DRIVER = text("log-driver", "json-file, or none for no log", default="json-file")
LOG_OPT = many("log-opt", "max-size=SIZE and max-file=NUMBER: when the log is rotated, and how many files stay")

OPTIONS = (LOG_DRIVER, LOG_OPT)


def on_host(given: Given, host: HostConfig) -> HostConfig:
    """Raises BadParameter."""
    return host._replace(log=_log(given[LOG_DRIVER], given[LOG_OPT]))


def _log(driver: str, options: tuple[str, ...]) -> LogConfig:
    if driver not in LOG_DRIVERS:
        raise BadParameter(f"--log-driver {driver}: there are json-file and none")
    if driver == "none" and options:
        raise BadParameter(f"--log-opt {options[0]}: with --log-driver none there is no log to rotate")
    log = LogConfig(driver)
    for word in options:
        key, _, value = word.partition("=")
        try:
            if key == "max-size":
                log = log._replace(max_size=_at_least_one(units.read_decimal_size(value)))
            elif key == "max-file":
                log = log._replace(max_file=_at_least_one(int(value)))
            else:
                raise BadParameter(f"--log-opt {word}: there are max-size and max-file")
        except ValueError as error:
            raise BadParameter(f"--log-opt {word}: {error}") from error
    return log


def _at_least_one(number: int) -> int:
    if number < 1:
        raise ValueError("it must be at least 1")
    return number
