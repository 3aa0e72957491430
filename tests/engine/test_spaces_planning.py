"""Which steps make the process space of which settings: whole plans, compared without root."""

from __future__ import annotations

import json

import pytest

from tiffin.engine import planning
from tiffin.engine.planning import Subject
from tiffin.errors import BadParameter
from tiffin.kernel import capabilities
from tiffin.kernel.cgroups import Hierarchy, Layout, Limits
from tiffin.kernel.mounts import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_SHARED, MS_SLAVE
from tiffin.kernel.process import CLONE_NEWNET
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.mount import BindMount, OverlayMount
from tiffin.runtime import defaults, steps
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.steps import Step

V2 = Layout((), Hierarchy(("memory", "pids"), "/sys/fs/cgroup", "/"))
HYBRID = Layout(
    (Hierarchy(("cpu", "cpuacct"), "/sys/fs/cgroup/cpu,cpuacct", "/"), Hierarchy(("name=systemd",), "/s/systemd", "/")),
    Hierarchy((), "/sys/fs/cgroup/unified", "/"),
)
SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FILTER = "Zm9yIHRlc3Rz"


def subject(config: Config = Config(), host: HostConfig = HostConfig(), *binds: BindMount) -> Subject:
    return Subject(
        id="1234", root="/root-of-tiffin", runroot="/run-of-tiffin", config=config._replace(cmd=("program", "word")),
        host=host, union=OverlayMount(("/top", "/below"), "/upper", "/work", False), at="/hanger", binds=binds,
        files={"hosts": "text"}, init=None, filter="" if host.privileged else FILTER, attributes={"name": "box"},
    )  # fmt: skip


def planned(config: Config = Config(), host: HostConfig = HostConfig(), *binds: BindMount, on: Layout = V2) -> Plan:
    return planning.plan_run(subject(config, host, *binds), on)


def kinds(plan: Plan | ExecPlan) -> list[str]:
    return [type(step).__name__ for step in plan.steps]


def only(plan: Plan | ExecPlan, kind: type[Step]) -> list[Step]:
    return [step for step in plan.steps if isinstance(step, kind)]


def test_a_plain_container_takes_these_steps() -> None:
    keep = planning.kept_capabilities(HostConfig())
    throttles = tuple(planning._thermal_throttles())
    expected: list[Step] = [
        steps.JoinCgroup(),
        steps.UnshareCgroup(),
        steps.IsolateMounts(),
        steps.MountUnion(("/top", "/below"), "/upper", "/work", False, "/hanger"),
        defaults.PROC,
        defaults.DEV,
        steps.MakeDevices(defaults.DEVICES),
        steps.MakeLinks(defaults.LINKS),
        defaults.DEVPTS,
        defaults.SHM,
        defaults.MQUEUE,
        defaults.SYS,
        steps.MountKernel(
            "cgroup2", "/sys/fs/cgroup", SAFE | MS_RDONLY, "", "see the own limits and use, not those of others"
        ),
        steps.MaskPaths((*defaults.MASKED, *throttles)),
        steps.ReadonlyPaths(defaults.READONLY),
        steps.PivotRoot(),
        steps.SetHostname("box", ""),
        steps.LoopbackUp(),
        steps.ChangeFolder("/"),
        steps.LimitCapabilities(keep),
        steps.JoinNewKeyring(),
        steps.FilterSyscalls(FILTER),
        steps.SetUser("", ()),
        steps.HoldCapabilities(keep),
        steps.DieWithShim(),
        steps.Execute(("program", "word"), (PATH, "HOSTNAME=box")),
    ]
    assert list(planned(Config(hostname="box")).steps) == expected


def test_everything_of_the_hosts_is_done_before_the_root_changes() -> None:
    plan = planned(
        Config(tty=True, working_dir="/srv", user="alice"),
        HostConfig(tmpfs={"/run": ""}, readonly_rootfs=True, network_mode="host"),
        BindMount("/a", "/b", False),
    )
    names = kinds(plan)
    turn = names.index("PivotRoot")
    assert {"Bind", "MountMemory", "OpenTerminal", "MakeFolder", "MaskPaths", "ReadonlyPaths"} <= set(names[:turn])
    assert names[turn:] == [
        "PivotRoot", "SetHostname", "ReadonlyRoot", "ChangeFolder", "LimitCapabilities", "JoinNewKeyring",
        "FilterSyscalls", "SetUser", "HoldCapabilities", "DieWithShim", "Execute",
    ]  # fmt: skip


def test_a_privileged_container_has_no_filter_and_hides_nothing() -> None:
    plan = planned(host=HostConfig(privileged=True))
    assert {"MaskPaths", "ReadonlyPaths", "FilterSyscalls"}.isdisjoint(kinds(plan))
    assert defaults.SYS_WRITABLE in plan.steps
    assert only(plan, steps.LimitCapabilities) == [steps.LimitCapabilities(capabilities.mask(capabilities.bounding()))]
    assert plan.limits.devices == ()


def test_on_v1_each_hierarchy_is_a_folder_of_its_own() -> None:
    (mount,) = only(planned(on=HYBRID), steps.MountCgroups)
    assert mount == steps.MountCgroups(
        (
            ("cpu,cpuacct", "cgroup", "cpu,cpuacct"),
            ("systemd", "cgroup", "none,name=systemd"),
            ("unified", "cgroup2", ""),
        ),
        SAFE | MS_RDONLY,
    )


def test_the_hosts_network_is_shared_and_left_alone() -> None:
    plan = planned(host=HostConfig(network_mode="host"))
    assert "ShareNetwork" in kinds(plan)
    assert "LoopbackUp" not in kinds(plan)


def test_deeper_mounts_come_later_and_the_same_depth_in_the_order_of_the_words() -> None:
    binds = (BindMount("/1", "/a/b/c", False), BindMount("/2", "/a", True), BindMount("/3", "/b", False))
    plan = planned(Config(), HostConfig(tmpfs={"/a/b": "size=1m"}), *binds)
    targets = [step.target for step in plan.steps if isinstance(step, steps.Bind | steps.MountMemory)]
    assert targets == ["/a", "/b", "/a/b", "/a/b/c"]


@pytest.mark.parametrize(
    ("word", "flag"), [("rprivate", MS_PRIVATE), ("slave", MS_SLAVE), ("rslave", MS_SLAVE), ("rshared", MS_SHARED)]
)
def test_how_mounts_spread_is_the_binds_own(word: str, flag: int) -> None:
    plan = planned(Config(), HostConfig(), BindMount("/a", "/b", False, propagation=word))
    (bind,) = only(plan, steps.Bind)
    assert isinstance(bind, steps.Bind)
    assert bind.propagation == flag
    assert only(plan, steps.IsolateMounts) == [steps.IsolateMounts((("/a", "/b"),) if flag == MS_SHARED else ())]


@pytest.mark.parametrize(
    ("options", "flags", "rest"),
    [
        ("", SAFE, ""),
        ("rw,exec,size=64m", MS_NOSUID | MS_NODEV, "size=64m"),
        ("ro,suid,dev,mode=1770,uid=5", MS_RDONLY | MS_NOEXEC, "mode=1770,uid=5"),
        ("exec,noexec", SAFE, ""),
    ],
)
def test_options_of_memory_folders(options: str, flags: int, rest: str) -> None:
    assert only(planned(host=HostConfig(tmpfs={"/run": options})), steps.MountMemory) == [
        steps.MountMemory("/run", flags, rest)
    ]


@pytest.mark.parametrize("options", ["what", "huge=always", "context=x", "size=1,,what=2"])
def test_other_options_of_memory_folders_are_refused(options: str) -> None:
    with pytest.raises(BadParameter, match="invalid tmpfs option"):
        planned(host=HostConfig(tmpfs={"/run": options}))


def test_limits_in_the_terms_of_groups() -> None:
    host = HostConfig(memory=1 << 30, nano_cpus=1_500_000_000, pids_limit=100)
    assert planning.limits_of(host) == Limits(
        memory=1 << 30,
        memory_swap=2 << 30,
        cpu_quota=150_000,
        cpu_period=100_000,
        pids=100,
        devices=defaults.DEVICE_RULES,
    )
    assert planning.limits_of(HostConfig(pids_limit=-1)) == Limits(devices=defaults.DEVICE_RULES)


def test_a_group_elsewhere_is_named_after_the_container() -> None:
    assert planned(host=HostConfig(cgroup_parent="/mine/")).group == "/mine/1234"
    assert planned().group == ""


def test_an_init_of_the_machine_comes_before_the_program_and_ours_instead() -> None:
    host = HostConfig(init=True)
    tini = subject(host=host)._replace(init=BindMount("/usr/bin/tini", "/dev/init", True))
    plan = planning.plan_run(tini, V2)
    assert plan.steps[-1] == steps.Execute(("/dev/init", "--", "program", "word"), (PATH, "HOSTNAME="))
    assert only(plan, steps.Bind) == [
        steps.Bind(
            "/usr/bin/tini", "/dev/init", True, True, MS_PRIVATE, "a folder or file of the host, seen inside as well"
        )
    ]
    assert planned(host=host).steps[-1] == steps.ExecuteUnderInit(("program", "word"), (PATH, "HOSTNAME="))


def test_an_exec_enters_and_becomes_as_little_as_the_first_process() -> None:
    config = Config(user="alice", working_dir="/srv", env=("A=b",), hostname="box", tty=True)
    plan = planning.plan_exec("1234", ("sh",), config, HostConfig(), V2, 5, FILTER)
    assert [type(step).__name__ for step in plan.entering] == ["JoinCgroup", "JoinSpace"]
    expected: list[Step] = [
        steps.FindRoot(),
        steps.OpenExecTerminal(),
        steps.ChangeFolder("/srv"),
        steps.LimitCapabilities(5),
        steps.JoinNewKeyring(),
        steps.FilterSyscalls(FILTER),
        steps.SetUser("alice", ()),
        steps.HoldCapabilities(5),
        steps.Execute(("sh",), (PATH, "HOSTNAME=box", "TERM=xterm", "A=b")),
    ]
    assert list(plan.steps) == expected
    (join,) = [step for step in plan.entering if isinstance(step, steps.JoinSpace)]
    assert join.flags & CLONE_NEWNET
    shared = planning.plan_exec("1234", ("sh",), config, HostConfig(network_mode="host"), V2, 5, "")
    (join,) = [step for step in shared.entering if isinstance(step, steps.JoinSpace)]
    assert not join.flags & CLONE_NEWNET


def test_a_plan_without_a_command_is_refused() -> None:
    with pytest.raises(BadParameter, match="no command"):
        planning.plan_run(subject()._replace(config=Config()), V2)
    with pytest.raises(BadParameter, match="no exec command"):
        planning.plan_exec("1234", (), Config(), HostConfig(), V2, 0, "")


@pytest.mark.parametrize(("add", "drop"), [(("NOT_THERE",), ()), ((), ("CAP_",)), (("",), ()), (("CHOWN;",), ())])
def test_capabilities_that_are_none_are_refused(add: tuple[str, ...], drop: tuple[str, ...]) -> None:
    with pytest.raises(BadParameter):
        planning.kept_capabilities(HostConfig(cap_add=add, cap_drop=drop))


def test_a_plan_is_the_same_after_its_way_to_the_spawner() -> None:
    host = HostConfig(tmpfs={"/run": "size=1m"}, memory=1 << 30, init=True, readonly_rootfs=True)
    for on in (V2, HYBRID):
        plan = planned(Config(tty=True, working_dir="/srv"), host, BindMount("/a", "/b", True), on=on)
        told = Plan.from_json(json.loads(json.dumps(plan.to_json())))
        assert json.dumps(told.to_json()) == json.dumps(plan.to_json())
        assert [type(step) for step in told.steps] == [type(step) for step in plan.steps]
        assert told._replace(steps=()) == plan._replace(steps=())


def test_every_step_tells_why() -> None:
    plan = planned(Config(tty=True, working_dir="/srv"), HostConfig(tmpfs={"/run": ""}), BindMount("/a", "/b", True))
    for step in plan.steps:
        assert step.why
        assert step.why[0].islower() or step.why[0] == "`"
        assert not step.why.endswith(".")
