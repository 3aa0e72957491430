"""Of a script: what is the same in all of them, the functions that they call, and the doors.

The few places in {braces} are filled in by the modules beside this one.
"""

from __future__ import annotations

HEAD = r"""
#!/bin/sh
{about}
#
# Its files are the real ones: the layers of its image, with its own read-write layer on top. What tiffin does by
# system calls is done by programs here: a POSIX shell, coreutils, findutils, util-linux (2.36 or newer), and ip.
# Run it as root, while the container does not run. Descriptors above 9 that the caller has open reach the program.

set -eu
umask 022
"""

TOOLS = r"""
# ---- Tools ----------------------------------------------------------------------------------------------------------

fail() {
    echo "$0: $1" >&2
    exit 125
}

# Run a program of the host in the namespaces of the container's first process.
inside() {
    nsenter --target "$pid" --mount --pid --ipc --uts --net --cgroup -- "$@"
}

# Where a path of the container leads, as $real below its root. Links are followed as they would be in there, where
# the union view is /: one that an image has made must not lead us out.
real() {
    rest=$1/ real='' links=0
    while [ -n "$rest" ]; do
        part=${rest%%/*} rest=${rest#*/}
        case $part in
        '' | .) continue ;;
        ..) real=${real%/*} && continue ;;
        esac
        if [ -L "$view$real/$part" ]; then
            links=$((links + 1))
            [ "$links" -le 40 ] || fail "too many links on the way to $1"
            link=$(readlink -n -- "$view$real/$part" && echo /) || fail "$real/$part leads nowhere"
            case $link in /*) real='' ;; esac
            rest=${link%?}/$rest
        else
            real=$real/$part
        fi
    done
    there=$root$real
}

# A folder of the container, made where it is missing.
folder() {
    real "$1"
    [ -d "$view$real" ] || mkdir -p -m "${2:-755}" -- "$view$real"
}

# A file or folder of the container to mount another one on, made where it is missing.
spot() {
    [ -e "$1" ] || [ -L "$1" ] || mkdir -p -- "$1"  # as after docker's -v
    if [ -d "$1" ]; then
        folder "$2"
    else
        real "$2"
        [ ! -d "$view$real" ] || fail "$2 is a folder, and $1 is none"
        [ -e "$view$real" ] || { mkdir -p -- "$view${real%/*}" && : >"$view$real"; }
    fi
    spare_proc
}

# Nobody may cover what the kernel tells of processes.
spare_proc() {
    case $real in
    /proc/cpuinfo | /proc/diskstats | /proc/loadavg | /proc/meminfo | /proc/slabinfo | /proc/stat | /proc/swaps | \
        /proc/uptime) ;;
    /proc | /proc/*) fail "nothing may be mounted inside /proc: $real" ;;
    esac
}

# A mount, and all mounts below it, are made read-only. mountinfo writes blanks and the like by their numbers.
readonly_tree() {
    top=$1
    while read -r _ _ _ _ point _; do
        point=$(printf '%b/' "$point") && point=${point%/}
        case $point in
        "$top" | "$top"/*) inside mount -o remount,bind,ro "$point" ;;
        esac
    done <"/proc/$pid/mountinfo"
}
"""

GROUPS = r"""
# The group has a folder in each tree of groups.
each_group() {
{trees}; do
        "$@" "$tree$group"
    done
}

# What is left of a script that was killed itself goes first.
make_group() {
    remove_group "$1" && mkdir -p -- "$1"
}

# A group can be removed a moment after its last process has ended; the container may have made others below it.
remove_group() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        [ -d "$1" ] || return 0
        find "$1" -depth -type d -exec rmdir -- {} + 2>/dev/null || sleep 0.1
    done
    fail "$1 cannot be removed"
}

join_group() {
    echo "$pid" >"$1/cgroup.procs"
}
"""

CPUSET = r"""
# v1: a new cpuset is empty, and nothing can run in it.
fill_cpuset() {
    [ -z "$(cat "$1/cpuset.cpus")" ] || return 0
    cat "$1/../cpuset.cpus" >"$1/cpuset.cpus"
    cat "$1/../cpuset.mems" >"$1/cpuset.mems"
    echo 1 >"$1/cgroup.clone_children"
}
"""

WORKSHOP = r"""
# ---- A workshop of our own, and an end that leaves nothing ----------------------------------------------------------

work=$(mktemp -d)
root=$work/root
pid='' begun=''
mkdir "$root"
mkfifo "$work/told" "$work/go"

clean_up() {
    code=$?
    trap '' HUP INT TERM
    [ -n "$begun" ] || [ "$code" -gt 128 ] || code=125
    exec 3>&-
    [ -z "$pid" ] || kill -s KILL "$pid" || :
    wait
    each_group remove_group
    rm -rf --one-file-system -- "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

"""

DOORS = r"""
# ---- The doors ------------------------------------------------------------------------------------------------------
# The container's first process is there from the beginning, and waits at three doors, while we build its world around
# it from outside: we hear it by descriptor 4, and open the next door by a line on descriptor 3.
arrived() {
    read -r line <&4 || fail "the container's first process has ended too early"
}

# It cannot be our own child: that which unshares the pid namespace stays outside, only its children are in.
parent='
    "$@" <&5 5<&- &
    exec 2>/dev/null  # how it ended is not for us to tell
    wait "$!"
'
# The first door opens when it is in its control group, which becomes the root of all groups that it can see.
first_door='
    read -r pid rest </proc/self/stat  # in the /proc of the host: our number there
    echo "$pid" >&4
    read -r line <&3
    second_door=$1 && shift
    exec unshare --cgroup sh -e -c "$second_door" second-door "$@"
'
# The second door opens when its tree is ready. Behind it, setpriv gives the powers away.
second_door='
    echo here >&4
    read -r uid gid groups <&3
    cd -P "$1/folder" && shift
    exec setpriv --reuid "$uid" --regid "$gid" --groups "$groups" "$@"
'
# The third door opens when the tree is its only one: pivot_root(2) also turns the roots of others who had the old one.
# The program is sought in the new one. Until then nothing of the image has been run, nor are its variables set: a
# program of the host would obey LD_PRELOAD.
third_door='
    echo here >&4
    IFS= read -r home <&3
    unset PATH PWD OLDPWD
    export "HOME=$home"
    while [ "$1" != -- ]; do
        export "$1" && shift
    done
    shift
    exec "$@" 3<&- 4>&-{input}
'
"""

FINISH = r"""
# Its end is ours, and so is its exit code.
while code=0 && { wait "$child" || code=$?; } && kill -0 "$child" 2>/dev/null; do
    : # a signal came by
done
pid=''
exit "$code"
"""

# ---- Who the program runs as

FIND_USER = r"""
# Who NAME-OR-NUMBER is, by the container's own /etc/passwd: sets uid, gid, name and home.
find_user() {
    uid='' gid=0 name='' home=/
    real /etc/passwd
    if [ -f "$view$real" ]; then
        while IFS=: read -r login _ number primary _ house _ || [ -n "$login" ]; do
            if [ "$1" = "$login" ] || [ "$1" = "$number" ]; then
                uid=$number gid=$primary name=$login home=$house
                break
            fi
        done <"$view$real"
    fi
    uid=${uid:-$1}
    case $uid$gid in *[!0-9]*) fail "unable to find user $1: no matching entries in passwd file" ;; esac
    groups=$gid
}

add_group() {
    case ,$groups, in *,"$1",*) ;; *) groups=$groups,$1 ;; esac
    case $groups in *[!0-9,]*) fail "$1 is no group id" ;; esac
}
"""

FIND_GROUP = r"""
# The group NAME-OR-NUMBER, by the container's own /etc/group: sets found.
find_group() {
    found=''
    real /etc/group
    if [ -f "$view$real" ]; then
        while IFS=: read -r title _ number _ || [ -n "$title" ]; do
            if [ "$1" = "$title" ] || [ "$1" = "$number" ]; then
                found=$number
                break
            fi
        done <"$view$real"
    fi
    found=${found:-$1}
    case $found in *[!0-9]*) fail "unable to find group $1: no matching entries in group file" ;; esac
}

"""

FIND_MEMBERSHIPS = r"""
# All groups that have the user $name among their members are added to $groups.
find_memberships() {
    real /etc/group
    [ -n "$name" ] && [ -f "$view$real" ] || return 0
    while IFS=: read -r title _ number members || [ -n "$title" ]; do
        case ,$members, in *,"$name",*) add_group "$number" ;; esac
    done <"$view$real"
}

"""

# ---- Paragraphs

LOCK = r"""
# The read-write layer is ours alone while it is mounted: tiffin looks at the same lock.
if [ -d "$upper" ]; then
    exec 9<"$upper"
    flock --nonblock 9 || fail "the container runs, or its layer is still mounted"
else
    echo "without tiffin: there is no $upper, so its files are new ones, and go when it ends" >&2
fi
"""

GATHERED = r"""
# "$@" gathers the words of the command behind the second door.
set --
"""

BOUNDING = r"""
bounding=-all
{names}; do
    bounding=$bounding,+$name
done
set -- "$@" --bounding-set "$bounding"
"""

HOLDING = r"""
# On becoming a program root gets what the bounding set has, and another user nothing; unless something is handed down
# (capabilities(7)).
set -- "$@" --inh-caps -all --ambient-caps -all
"""

DYING = r"""
# In the shim's place is the process that unshares the namespaces, and waits.
set -- "$@" --pdeathsig KILL
"""

START = r"""
# The first process, in namespaces of its own, goes to the first door. It dies when its parent, or we, are killed.
exec 5<&0
(
    exec 4>"$work/told" 3<"$work/go" 6<&- 7<&- 8<&- 9<&-
    exec setpriv --pdeathsig KILL \
        unshare --mount --propagation slave --pid --ipc --uts{network} \
        sh -c "$parent" parent \
        env -i --default-signal=INT,QUIT PATH="$PATH" \
        sh -e -c "$first_door" first-door "$second_door" "$work" "$@"
) &
child=$!
exec 5<&- 4<"$work/told" 3>"$work/go"
read -r pid <&4 || fail "no process in namespaces of its own can be made"
view=/proc/$pid/root$root  # the tree-to-be, as it is seen from here
"""

MOUNT_UNION = r"""
mount_union() {
    set -- "$work" "redirect_dir=off,metacopy=off,index=off,$1"
    inside sh -c 'cd "$1" && mount -t overlay -o "$2" tiffin root' sh "$@"
}
"""

UPPER = r"""
if [ -d "$upper" ]; then
    ln -s -- "$upper" "$work/upper"
    ln -s -- "$upper_work" "$work/work"
else
    mkdir -- "$work/upper" "$work/work"
    chown --reference="$work/1/" -- "$work/upper"
    chmod --reference="$work/1/" -- "$work/upper"
fi
"""

MOUNT_CGROUPS = r"""
tree_of_groups() {
    mkdir -- "$view$real/$1"
    inside mount -t "$2" -o "{flags},$3" "$2" "$there/$1"
}
folder /sys/fs/cgroup
inside mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs "$there"
{entries}
inside mount -o remount,ro,nosuid,nodev,noexec,mode=755 "$there"
"""

DEVICE = r"""
device() {
    real "$1"
    mkdir -p -- "$view${real%/*}"
    mknod -m "$2" -- "$view$real" "$3" "$4" "$5"
}
"""

LINK = r"""
link() {
    real "$1"
    mkdir -p -- "$view${real%/*}"
    ln -s -T -- "$2" "$view$real"
}
"""

MASK = r"""
real /dev/null && null=$there
[ "$(stat -c %t:%T -- "$view$real")" = 1:3 ] || fail "/dev/null is no null device"
{paths}; do
    real "$path"
    if [ -d "$view$real" ]; then
        inside mount -t tmpfs -o ro,nosuid,nodev,noexec,size=0,mode=755 tmpfs "$there"
    elif [ -e "$view$real" ]; then
        inside mount --bind "$null" "$there"
    fi
done
"""

READONLY = r"""
{paths}; do
    real "$path"
    [ -e "$view$real" ] || continue
    inside mount --rbind "$there" "$there"
    readonly_tree "$there"
done
"""

SECOND_DOOR = r"""
# The second door: the user's numbers come through.
echo "$uid $gid $groups" >&3
arrived
"""

PIVOT = r"""
# The old root comes to lie on the new one. Who enters the mount namespace from outside stands on the old one, has all
# programs of the host, and can take it away (pivot_root(2)).
inside pivot_root "$root" "$root"
inside umount --lazy /
"""

THIRD_DOOR = r"""
# The third door: it becomes the program. From here on signals are the program's.
begun=yes
for signal in HUP INT TERM; do
    trap "kill -s $signal \"\$pid\"" "$signal"
done
printf '%s\n' "$home" >&3
exec 3>&- 4<&-
"""
