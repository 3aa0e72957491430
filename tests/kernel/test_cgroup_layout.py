from __future__ import annotations

from tiffin.kernel.cgroup_layout import Hierarchy, Layout, detect

DEBIAN_12 = "35 28 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"

V1_OF_SYSTEMD = r"""
31 23 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
37 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
38 31 0:33 / /sys/fs/cgroup/net_cls,net_prio rw,nosuid shared:16 - cgroup cgroup rw,net_cls,net_prio
39 31 0:34 / /sys/fs/cgroup/odd\040name rw,nosuid shared:17 - cgroup cgroup rw,memory
""".lstrip()

MEMBER_OF_V1 = """
12:cpu,cpuacct:/user.slice
9:hugetlb:/
8:memory:/user.slice/session-1.scope
3:net_cls,net_prio:/
1:name=systemd:/user.slice/session-1.scope
0::/user.slice/session-1.scope
""".lstrip()


def test_a_pure_v2_machine_has_one_hierarchy_with_all_controllers() -> None:
    layout = detect(DEBIAN_12, "0::/system.slice/cron.service\n", "cpuset cpu io memory pids\n")
    whole = Hierarchy(("cpuset", "cpu", "io", "memory", "pids"), "/sys/fs/cgroup", "/system.slice/cron.service")
    assert layout == Layout((), whole)


def test_a_hybrid_machine_has_comounted_and_named_hierarchies_and_v2_beside_them() -> None:
    layout = detect(V1_OF_SYSTEMD, MEMBER_OF_V1, "\n")
    assert layout == Layout(
        (
            Hierarchy(("cpu", "cpuacct"), "/sys/fs/cgroup/cpu,cpuacct", "/user.slice"),
            Hierarchy(("memory",), "/sys/fs/cgroup/odd name", "/user.slice/session-1.scope"),
            Hierarchy(("net_cls", "net_prio"), "/sys/fs/cgroup/net_cls,net_prio", "/"),
            Hierarchy(("name=systemd",), "/sys/fs/cgroup/systemd", "/user.slice/session-1.scope"),
        ),
        Hierarchy((), "/sys/fs/cgroup/unified", "/user.slice/session-1.scope"),
    )


def test_a_hierarchy_that_is_not_mounted_is_left_out() -> None:
    layout = detect(V1_OF_SYSTEMD, MEMBER_OF_V1, "")
    assert layout.v1_of("hugetlb") is None


def test_a_machine_without_any_mounted_hierarchy_has_an_empty_layout() -> None:
    assert detect("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n", "") == Layout((), None)


def test_a_controller_is_found_in_the_hierarchy_that_has_it() -> None:
    layout = detect(V1_OF_SYSTEMD, MEMBER_OF_V1, "hugetlb")
    v1, v2 = layout.v1_of("cpuacct"), layout.v2_of("hugetlb")
    assert (v1 and v1.mount, v2 and v2.mount) == ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified")
    assert layout.v2_of("memory") is None


def test_inside_a_container_positions_count_from_the_part_that_is_mounted() -> None:
    mountinfo = "39 31 0:34 /docker/4a5b /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    assert detect(mountinfo, "8:memory:/docker/4a5b/inner\n", "").v1[0].position == "/inner"
    assert detect(mountinfo, "8:memory:/docker/4a5b\n", "").v1[0].position == "/"
    assert detect(mountinfo, "8:memory:/docker/4a5bc\n", "").v1[0].position == "/"


def test_the_whole_hierarchy_is_preferred_to_a_bind_mount_of_a_part() -> None:
    part = "90 31 0:34 /tiffin/4a5b /tmp/part rw - cgroup cgroup rw,memory\n"
    assert detect(part + V1_OF_SYSTEMD, "8:memory:/\n", "").v1[0].mount == "/sys/fs/cgroup/odd name"


def test_a_layout_survives_the_way_through_json() -> None:
    for layout in (detect(V1_OF_SYSTEMD, MEMBER_OF_V1, ""), detect(DEBIAN_12, "0::/\n", "cpu"), Layout((), None)):
        assert Layout.from_json(layout.to_json()) == layout


def test_the_layout_of_this_machine_names_folders_that_are_there() -> None:
    layout = detect()
    for hierarchy in (*layout.v1, *([layout.v2] if layout.v2 else [])):
        with open(f"{hierarchy.mount}/cgroup.procs", encoding="ascii") as processes:
            assert processes.readable()
