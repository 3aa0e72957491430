/* The process space around one container, and its read-write layer. */
#include "floor.h"
#include <dirent.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static void make(const char *path, const char *type, unsigned long flags, const char *options)
{
    if (mount(type, path, type, flags, options))
        fail(path);
}

static void over(const char *path, const char *source)          /* mask */
{
    struct stat s;
    if (stat(path, &s))
        return;
    if (S_ISDIR(s.st_mode))
        make(path, "tmpfs", MS_RDONLY, "size=0");
    else
        DO(mount(source, path, 0, MS_BIND, 0));
}

static void device(const char *name, int major, int minor)
{
    DO(mknod(name, S_IFCHR | 0666, makedev(major, minor)));
}

static void furnish(const char *home)
{
    static const char *masked[] = { "proc/acpi", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
                                    "proc/timer_stats", "proc/sched_debug", "proc/scsi", "sys/firmware" };
    static const char *readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
    static const char *own[] = { "hosts", "hostname", "resolv.conf" };
    const unsigned long strict = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char source[PATH], target[PATH];

    make("proc", "proc", strict, 0);
    make("dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    umask(0);
    device("dev/null", 1, 3);
    device("dev/zero", 1, 5);
    device("dev/full", 1, 7);
    device("dev/random", 1, 8);
    device("dev/urandom", 1, 9);
    device("dev/tty", 5, 0);
    DO(symlink("/proc/self/fd", "dev/fd"));
    DO(symlink("/proc/self/fd/0", "dev/stdin"));
    DO(symlink("/proc/self/fd/1", "dev/stdout"));
    DO(symlink("/proc/self/fd/2", "dev/stderr"));
    DO(symlink("pts/ptmx", "dev/ptmx"));
    DO(mkdir("dev/pts", 0755));
    DO(mkdir("dev/shm", 0755));
    DO(mkdir("dev/mqueue", 0755));
    umask(022);
    make("dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    make("dev/shm", "tmpfs", strict, "mode=1777,size=65536k");
    make("dev/mqueue", "mqueue", strict, 0);
    make("sys", "sysfs", strict | MS_RDONLY, 0);
    make("sys/fs/cgroup", "tmpfs", strict, "mode=755");
    for (int i = 0; i < group_count; i++) {
        const char *end = strrchr(groups[i], '/');
        snprintf(target, sizeof target, "sys/fs/cgroup/%d", i);
        snprintf(source, sizeof source, "%.*s", (int)(end - groups[i]), groups[i]);
        DO(mkdir(target, 0755));
        DO(mount(source, target, 0, MS_BIND, 0));
        DO(mount(0, target, 0, MS_BIND | MS_REMOUNT | MS_RDONLY | strict, 0));
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(source, sizeof source, "%s/%s", home, own[i]);
        snprintf(target, sizeof target, "etc/%s", own[i]);
        DO(mount(source, target, 0, MS_BIND, 0));
    }
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
        over(masked[i], "/dev/null");
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++)
        if (mount(readonly[i], readonly[i], 0, MS_BIND | MS_REC, 0) == 0)
            DO(mount(0, readonly[i], 0, MS_BIND | MS_REMOUNT | MS_RDONLY | strict, 0));
}

static void loopback_up(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    DO(fd);
    DO(ioctl(fd, SIOCSIFFLAGS, &lo));
    close(fd);
}

void confine(void)      /* fourteen capabilities, and a filter that refuses a few calls */
{
    const uint64_t keep = 0xa80425fb;
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { keep, keep, 0 }, { 0, 0, 0 } };
    static struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kexec_load, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_init_module, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_delete_module, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog filter = { sizeof program / sizeof *program, program };
    for (int capability = 0; capability < 64; capability++)
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno == EINVAL)
            break;
    DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
    DO(syscall(SYS_capset, &head, data));
}

void become(const char *program)
{
    static char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=floor", 0 };
    char *argv[] = { (char *)program, !strcmp(program, "sleep") ? "100000" : 0, 0 };
    environ = environment;
    execvp(program, argv);
    fail(program);
}

void make_fixtures(void)        /* below the lowest layer: what a process space mounts its own things on */
{
    static const char *folders[] = { "", "/dev", "/proc", "/sys", "/etc" };
    static const char *files[] = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf" };
    char path[PATH];
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/fixtures%s", workdir, folders[i]);
        DO(mkdir(path, 0755));
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/fixtures%s", workdir, files[i]);
        DO(mknod(path, S_IFREG | 0644, 0));
    }
    snprintf(path, sizeof path, "%s/union", workdir);
    DO(mkdir(path, 0755));
}

static void space(struct container *c, int is_volatile, const char *program)
{
    char options[4 * PATH], at[PATH];
    setsid();
    join_groups(c->id);
    DO(unshare(CLONE_NEWCGROUP));
    DO(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
    snprintf(options, sizeof options, "lowerdir=%s:%s/fixtures,upperdir=%s/diff,workdir=%s/work,redirect_dir=off,metacopy=off,index=off%s",
             rootfs, workdir, c->home, c->home, is_volatile ? ",volatile" : "");
    snprintf(at, sizeof at, "%s/union", workdir);
    DO(mount("overlay", at, "overlay", 0, options));
    DO(chdir(at));
    furnish(c->home);
    DO(syscall(SYS_pivot_root, ".", "."));
    DO(umount2(".", MNT_DETACH));
    DO(chdir("/"));
    DO(sethostname("floor", 5));
    loopback_up();
    confine();
    become(program);
}

void create(struct container *c)
{
    static int serial;
    static const char *folders[] = { "", "/diff", "/work" }, *files[] = { "hosts", "hostname", "resolv.conf" };
    char path[PATH + 16];
    memset(c, 0, sizeof *c);
    snprintf(c->id, sizeof c->id, "%d-%d", getpid(), serial++);
    snprintf(c->home, sizeof c->home, "%s/%s", workdir, c->id);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", c->home, folders[i]);
        DO(mkdir(path, 0755));
    }
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", c->home, files[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        DO(fd);
        DO(write(fd, "127.0.0.1 localhost\n", 20));
        close(fd);
    }
}

void start(struct container *c, int is_volatile, const char *program)
{
    char path[PATH], byte;
    int status[2], into = -1;
    make_groups(c->id);
    DO(pipe2(status, O_CLOEXEC));
    struct clone_args how = { .flags = SPACES | CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)&c->pidfd };
    if (v2 >= 0) {
        group_path(path, v2, c->id);
        DO(into = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        how.flags |= CLONE_INTO_CGROUP;
        how.cgroup = into;
    }
    DO(c->pid = syscall(SYS_clone3, &how, sizeof how));
    if (c->pid == 0)
        space(c, is_volatile, program);
    close(status[1]);
    if (into >= 0)
        close(into);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", c->pid);     /* so that it is not unmounted in the end of the process */
    c->mounts = open(path, O_RDONLY | O_CLOEXEC);
    if (read(status[0], &byte, 1))                              /* closed by execve */
        fail("read");
    close(status[0]);
}

void wait_for(struct container *c)
{
    int status;
    DO(waitpid(c->pid, &status, 0));
    if (WIFEXITED(status) && WEXITSTATUS(status)) {
        fprintf(stderr, "floor: the program ended with %d\n", WEXITSTATUS(status));
        _exit(1);
    }
}

static void delete(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? 0 : fdopendir(fd);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(fd, entry->d_name, 0))
            delete(fd, entry->d_name);
    closedir(folder);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void set_aside(struct container *c)     /* what must be done while the caller waits */
{
    char trash[PATH + 16];
    snprintf(trash, sizeof trash, "%s.trash", c->home);
    DO(rename(c->home, trash));
}

void clean(struct container *c)
{
    char trash[PATH + 16];
    snprintf(trash, sizeof trash, "%s.trash", c->home);
    close(c->mounts);
    close(c->pidfd);
    remove_groups(c->id);
    delete(AT_FDCWD, trash);
}
