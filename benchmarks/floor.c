/* The floor: what the kernel itself takes for the work of a container engine.
 *
 *     floor ROOTFS WORKDIR CGROUP...
 *
 * A plain C program makes the same system calls as an engine would, and nothing else: no records, no locks, no digests,
 * nothing synced but layers. ROOTFS is the read-only layer of all containers; WORKDIR an empty folder on the same file
 * system; each CGROUP a folder in one cgroup hierarchy, below which it makes a group for each container.
 *
 * It reads one command a line and answers with one line of numbers: milliseconds, unless it says otherwise.
 *
 *     start VOLATILE        one container that runs `true`: create, start, wait, remove
 *     hold / exec / release a container that sleeps; one more `true` in it; its end
 *     storm WORKERS COUNT   COUNT such containers by WORKERS processes, each removed completely
 *     crowd COUNT           COUNT containers that sleep, begun at once: until all run
 *     unpack TAR FOLDER     a tar of ustar headers becomes a tree, synced; both in this order on the disk
 *     copy FROM TO          a tree becomes another, synced
 *     pack FOLDER FILE      all blocks of a tar of it are written, but for what is in the headers
 *     log FILE OUT          a program writes FILE into a pipe; OUT gets it in the json-file format
 *     relay FILE TIMES      a program writes FILE into a pipe; it is moved to another pipe, and read there
 *     memory COUNT          kilobytes that COUNT processes take which do nothing but wait for a child
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH 4096
#define DO(call) do { if ((call) < 0) fail(#call); } while (0)
#define SPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)

static const char *rootfs, *workdir;
static char **groups;
static int group_count, v2 = -1;       /* index of the v2 hierarchy in groups */

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail(path);
    close(fd);
}

static int there(const char *folder, const char *name)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* ---- control groups ---- */

static const char *devices[] = { "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
                                 "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm" };

static void inherit(const char *folder, const char *name)      /* a v1 cpuset is born empty */
{
    char path[PATH], text[256];
    snprintf(path, sizeof path, "%s/../%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    DO(size);
    close(fd);
    text[size] = 0;
    put(folder, name, text);
}

static void group_path(char *path, int hierarchy, const char *id)
{
    snprintf(path, PATH, "%s/%s", groups[hierarchy], id);
}

static void make_groups(const char *id)
{
    char path[PATH];
    for (int i = 0; i < group_count; i++) {
        group_path(path, i, id);
        DO(mkdir(path, 0755));
        if (there(path, "cpuset.cpus") && i != v2) {
            inherit(path, "cpuset.cpus");
            inherit(path, "cpuset.mems");
        }
        if (there(path, "devices.deny")) {
            put(path, "devices.deny", "a");
            for (size_t k = 0; k < sizeof devices / sizeof *devices; k++)
                put(path, "devices.allow", devices[k]);
        }
    }
}

static void join_groups(const char *id)        /* by the process itself, which waits for no other processor */
{
    char path[PATH];
    for (int i = 0; i < group_count; i++)
        if (i != v2) {
            group_path(path, i, id);
            put(path, "tasks", "0");
        }
}

static void remove_groups(const char *id)
{
    char path[PATH];
    for (int i = 0; i < group_count; i++) {
        group_path(path, i, id);
        while (rmdir(path) && errno == EBUSY)   /* the dead leave a moment after they were reaped */
            usleep(200);
    }
}

/* ---- the process space ---- */

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

static void confine(void)      /* fourteen capabilities, and a filter that refuses a few calls */
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

static void become(const char *program)
{
    static char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=floor", 0 };
    char *argv[] = { (char *)program, !strcmp(program, "sleep") ? "100000" : 0, 0 };
    environ = environment;
    execvp(program, argv);
    fail(program);
}

struct container {
    char id[64], home[PATH];
    pid_t pid;
    int pidfd, mounts;
};

static void make_fixtures(void)        /* below the lowest layer: what a process space mounts its own things on */
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

static void create(struct container *c)
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

static void start(struct container *c, int is_volatile, const char *program)
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

static void wait_for(struct container *c)
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

static void set_aside(struct container *c)     /* what must be done while the caller waits */
{
    char trash[PATH + 16];
    snprintf(trash, sizeof trash, "%s.trash", c->home);
    DO(rename(c->home, trash));
}

static void clean(struct container *c)
{
    char trash[PATH + 16];
    snprintf(trash, sizeof trash, "%s.trash", c->home);
    close(c->mounts);
    close(c->pidfd);
    remove_groups(c->id);
    delete(AT_FDCWD, trash);
}

/* ---- commands about processes ---- */

static void do_start(int is_volatile)
{
    struct container c;
    double began = now(), created, started, ended;
    create(&c);
    created = now();
    start(&c, is_volatile, "true");
    started = now();
    wait_for(&c);
    ended = now();
    set_aside(&c);
    printf("%f %f %f %f\n", created - began, started - created, ended - started, now() - ended);
    fflush(stdout);
    clean(&c);
}

static struct container held;

static void do_exec(void)
{
    double began = now();
    pid_t pid = fork();
    DO(pid);
    if (pid == 0) {
        join_groups(held.id);
        DO(setns(held.pidfd, SPACES | CLONE_NEWCGROUP));
        pid_t inner = fork();
        DO(inner);
        if (inner == 0) {
            DO(chdir("/"));
            confine();
            become("true");
        }
        int status;
        DO(waitpid(inner, &status, 0));
        _exit(status != 0);
    }
    int status;
    DO(waitpid(pid, &status, 0));
    if (status)
        fail("exec");
    printf("%f\n", now() - began);
}

static void finish(struct container *c)
{
    DO(kill(c->pid, SIGKILL));
    wait_for(c);
    set_aside(c);
    clean(c);
}

static void do_storm(int workers, int count)
{
    double began = now();
    for (int w = 0; w < workers; w++) {
        pid_t pid = fork();
        DO(pid);
        if (pid == 0) {
            struct container c;
            for (int i = w; i < count; i += workers) {
                create(&c);
                start(&c, 1, "true");
                wait_for(&c);
                set_aside(&c);
                clean(&c);
            }
            _exit(0);
        }
    }
    for (int w = 0, status; w < workers; w++) {
        DO(wait(&status));
        if (status)
            fail("storm");
    }
    printf("%f\n", now() - began);
}

static void do_crowd(int count)
{
    int running[2], go[2];
    char byte;
    DO(pipe2(running, O_CLOEXEC));
    DO(pipe2(go, O_CLOEXEC));
    double began = now();
    for (int w = 0; w < count; w++) {
        pid_t pid = fork();
        DO(pid);
        if (pid == 0) {
            struct container c;
            close(go[1]);
            create(&c);
            start(&c, 1, "sleep");
            DO(write(running[1], "r", 1));
            DO(read(go[0], &byte, 1));          /* until it is closed */
            finish(&c);
            _exit(0);
        }
    }
    for (int w = 0; w < count; w++)
        DO(read(running[0], &byte, 1));
    printf("%f\n", now() - began);
    fflush(stdout);
    close(go[0]);
    close(go[1]);
    close(running[0]);
    close(running[1]);
    for (int w = 0; w < count; w++)
        wait(0);
}

static long pss_of(pid_t pid)
{
    char path[PATH], line[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file))
        sscanf(line, "Pss: %ld", &kilobytes);
    fclose(file);
    return kilobytes;
}

static void do_memory(int count)
{
    pid_t *pids = calloc(count, sizeof *pids);
    long kilobytes = 0;
    int ready[2];
    char byte;
    DO(pipe2(ready, O_CLOEXEC));
    for (int i = 0; i < count; i++) {
        DO(pids[i] = fork());
        if (pids[i] == 0) {
            pid_t child = fork();
            DO(child);
            if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                DO(chroot(rootfs));
                become("sleep");
            }
            DO(write(ready[1], "r", 1));
            waitpid(child, 0, 0);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++)
        DO(read(ready[0], &byte, 1));
    for (int i = 0; i < count; i++)
        kilobytes += pss_of(pids[i]);
    for (int i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], 0, 0);
    }
    close(ready[0]);
    close(ready[1]);
    free(pids);
    printf("%ld\n", kilobytes);
}

/* ---- commands about trees ---- */

struct header {         /* POSIX.1-1988, ustar */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
         uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};

static long octal(const char *field, int width)
{
    char text[16] = { 0 };
    memcpy(text, field, width);
    return strtol(text, 0, 8);
}

static void name_of(const struct header *h, char *name)
{
    if (h->prefix[0])
        snprintf(name, PATH, "%.155s/%.100s", h->prefix, h->name);
    else
        snprintf(name, PATH, "%.100s", h->name);
}

static void place(int root, const struct header *h, const char *content, long size)
{
    char name[PATH], link[101];
    struct timespec times[2] = { { 0, UTIME_OMIT }, { octal(h->mtime, 12), 0 } };
    long mode = octal(h->mode, 8);
    name_of(h, name);
    snprintf(link, sizeof link, "%.100s", h->link);
    if (h->type == '1') {
        DO(linkat(root, link, root, name, 0));
        return;
    }
    if (h->type == '2')
        DO(symlinkat(link, root, name));
    else if (h->type == '3' || h->type == '4')
        DO(mknodat(root, name, (h->type == '3' ? S_IFCHR : S_IFBLK) | mode, makedev(octal(h->major, 8), octal(h->minor, 8))));
    else if (h->type == '6')
        DO(mkfifoat(root, name, mode));
    else {
        int fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            fail(name);
        for (long done = 0, part; done < size; done += part)
            DO(part = write(fd, content + done, size - done));
        DO(fchown(fd, octal(h->uid, 8), octal(h->gid, 8)));
        DO(fchmod(fd, mode));
        DO(futimens(fd, times));
        close(fd);
        return;
    }
    DO(fchownat(root, name, octal(h->uid, 8), octal(h->gid, 8), AT_SYMLINK_NOFOLLOW));
    DO(utimensat(root, name, times, AT_SYMLINK_NOFOLLOW));
}

static void sync_tree(int root)
{
    DO(syncfs(root));
}

enum { FOLDERS, THINGS, LINKS, TIMES };        /* the passes: ext4 makes files fastest when all folders are there */

static void do_unpack(const char *tar, const char *folder)
{
    double began = now();
    struct stat s;
    int fd = open(tar, O_RDONLY | O_CLOEXEC);
    DO(fd);
    DO(fstat(fd, &s));
    const char *bytes = mmap(0, s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    DO(mkdir(folder, 0755));
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DO(root);
    for (int pass = FOLDERS; pass <= TIMES; pass++)
        for (off_t at = 0; at + 512 <= s.st_size && bytes[at];) {
            const struct header *h = (const void *)(bytes + at);
            long size = h->type == '0' || !h->type ? octal(h->size, 12) : 0;
            int is_folder = h->type == '5', is_link = h->type == '1';
            char name[PATH];
            if (is_folder && (pass == FOLDERS || pass == TIMES)) {
                struct timespec times[2] = { { 0, UTIME_OMIT }, { octal(h->mtime, 12), 0 } };
                name_of(h, name);
                if (pass == FOLDERS && mkdirat(root, name, 0700) && errno != EEXIST)
                    fail(name);
                if (pass == TIMES) {
                    DO(fchownat(root, name, octal(h->uid, 8), octal(h->gid, 8), 0));
                    DO(fchmodat(root, name, octal(h->mode, 8), 0));
                    DO(utimensat(root, name, times, 0));
                }
            } else if (!is_folder && pass == (is_link ? LINKS : THINGS))
                place(root, h, bytes + at + 512, size);
            at += 512 + (size + 511) / 512 * 512;
        }
    sync_tree(root);
    printf("%f\n", now() - began);
    munmap((void *)bytes, s.st_size);
    close(root);
    close(fd);
}

typedef void visit(int from, int to, const char *name, const struct stat *s);

static void walk(int from, int to, visit *thing, int makes_folders)    /* the files of a folder, then its folders */
{
    char (*folders)[256] = 0;
    size_t count = 0;
    DIR *folder = fdopendir(dup(from));
    rewinddir(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat s;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        DO(fstatat(from, entry->d_name, &s, AT_SYMLINK_NOFOLLOW));
        thing(from, to, entry->d_name, &s);
        if (S_ISDIR(s.st_mode)) {
            folders = realloc(folders, (count + 1) * sizeof *folders);
            snprintf(folders[count++], sizeof *folders, "%s", entry->d_name);
        }
    }
    closedir(folder);
    for (size_t i = 0; i < count; i++) {
        int inner = openat(from, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), target = to;
        DO(inner);
        if (makes_folders)
            DO(target = openat(to, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        walk(inner, target, thing, makes_folders);
        if (makes_folders) {            /* its time has changed with what came into it */
            struct stat s;
            DO(fstat(inner, &s));
            DO(futimens(target, (struct timespec[]){ s.st_atim, s.st_mtim }));
            close(target);
        }
        close(inner);
    }
    free(folders);
}

static void copy_thing(int from, int to, const char *name, const struct stat *s)
{
    struct timespec times[2] = { s->st_atim, s->st_mtim };
    if (S_ISDIR(s->st_mode))
        DO(mkdirat(to, name, s->st_mode & 07777));
    else if (S_ISLNK(s->st_mode)) {
        char target[PATH] = { 0 };
        DO(readlinkat(from, name, target, sizeof target - 1));
        DO(symlinkat(target, to, name));
    } else if (S_ISREG(s->st_mode)) {
        int source = openat(from, name, O_RDONLY | O_CLOEXEC), copy = openat(to, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        DO(source);
        DO(copy);
        for (off_t left = s->st_size; left > 0;) {
            ssize_t part = copy_file_range(source, 0, copy, 0, left, 0);
            DO(part);
            left -= part ? part : left;
        }
        DO(fchown(copy, s->st_uid, s->st_gid));
        DO(fchmod(copy, s->st_mode & 07777));
        DO(futimens(copy, times));
        close(source);
        close(copy);
    } else
        DO(mknodat(to, name, s->st_mode, s->st_rdev));
    if (!S_ISREG(s->st_mode)) {
        DO(fchownat(to, name, s->st_uid, s->st_gid, AT_SYMLINK_NOFOLLOW));
        DO(utimensat(to, name, times, AT_SYMLINK_NOFOLLOW));
    }
}

static void do_copy(const char *from, const char *to)
{
    double began = now();
    DO(mkdir(to, 0755));
    int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DO(source);
    DO(target);
    walk(source, target, copy_thing, 1);
    sync_tree(target);
    printf("%f\n", now() - began);
    close(source);
    close(target);
}

static char piece[1 << 20];

static void pack_thing(int from, int to, const char *name, const struct stat *s)
{
    static const char block[512];
    DO(write(to, block, sizeof block));
    if (!S_ISREG(s->st_mode))
        return;
    int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    DO(fd);
    for (ssize_t part; (part = read(fd, piece, sizeof piece)) > 0;)
        DO(write(to, piece, part));
    DO(write(to, block, -s->st_size & 511));
    close(fd);
}

static void do_pack(const char *folder, const char *file)
{
    double began = now();
    int source = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int target = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    DO(source);
    DO(target);
    walk(source, target, pack_thing, 0);
    printf("%f\n", now() - began);
    close(source);
    close(target);
}

/* ---- commands about output ---- */

static pid_t program(const char *file, int times, int *out)    /* that writes a file some times into a pipe */
{
    int ends[2];
    DO(pipe2(ends, O_CLOEXEC));
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t pid = fork();
    DO(pid);
    if (pid == 0) {
        close(ends[0]);
        for (int i = 0; i < times; i++) {
            int fd = open(file, O_RDONLY | O_CLOEXEC);
            DO(fd);
            for (ssize_t part; (part = read(fd, piece, 128 << 10)) > 0;)
                for (ssize_t done = 0, some; done < part; done += some)
                    DO(some = write(ends[1], piece + done, part - done));
            close(fd);
        }
        _exit(0);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

static void do_log(const char *file, const char *out)
{
    static char text[64 << 20];
    double began = now();
    char tail[128];
    int in, target = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), fresh = 1;
    DO(target);
    pid_t pid = program(file, 1, &in);
    for (ssize_t size; (size = read(in, piece, sizeof piece)) > 0;) {
        struct timespec t;
        struct tm when;
        clock_gettime(CLOCK_REALTIME, &t);
        gmtime_r(&t.tv_sec, &when);
        int length = snprintf(tail, sizeof tail, "\\n\",\"stream\":\"stdout\",\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ\"}\n",
                              when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec, t.tv_nsec);
        char *to = text;
        for (ssize_t i = 0; i < size; i++) {
            if (fresh)
                to = mempcpy(to, "{\"log\":\"", 8);
            fresh = piece[i] == '\n';
            if (fresh)
                to = mempcpy(to, tail, length);
            else if (piece[i] == '"' || piece[i] == '\\') {
                *to++ = '\\';
                *to++ = piece[i];
            } else
                *to++ = piece[i];
        }
        DO(write(target, text, to - text));
    }
    waitpid(pid, 0, 0);
    printf("%f\n", now() - began);
    close(in);
    close(target);
}

static void do_relay(const char *file, int times)
{
    double began = now();
    int in, ends[2];
    pid_t writer = program(file, times, &in);
    DO(pipe2(ends, O_CLOEXEC));
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t mover = fork();
    DO(mover);
    if (mover == 0) {
        close(ends[0]);
        for (ssize_t part; (part = splice(in, 0, ends[1], 0, 1 << 20, SPLICE_F_MOVE)) != 0;)
            DO(part);
        _exit(0);
    }
    close(in);
    close(ends[1]);
    while (read(ends[0], piece, sizeof piece) > 0)
        ;
    waitpid(writer, 0, 0);
    waitpid(mover, 0, 0);
    close(ends[0]);
    printf("%f\n", now() - began);
}

int main(int argc, char **argv)
{
    static char line[3 * PATH], a[PATH], b[PATH];
    int m, n;
    if (argc < 3) {
        fprintf(stderr, "usage: floor ROOTFS WORKDIR CGROUP...\n");
        return 2;
    }
    rootfs = argv[1];
    workdir = argv[2];
    groups = argv + 3;
    group_count = argc - 3;
    for (int i = 0; i < group_count; i++)
        if (there(groups[i], "cgroup.controllers"))
            v2 = i;
    make_fixtures();
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "start %d", &n) == 1)
            do_start(n);
        else if (!strcmp(line, "hold\n")) {
            create(&held);
            start(&held, 1, "sleep");
            printf("0\n");
        } else if (!strcmp(line, "exec\n"))
            do_exec();
        else if (!strcmp(line, "release\n")) {
            finish(&held);
            printf("0\n");
        } else if (sscanf(line, "storm %d %d", &m, &n) == 2)
            do_storm(m, n);
        else if (sscanf(line, "crowd %d", &n) == 1)
            do_crowd(n);
        else if (sscanf(line, "memory %d", &n) == 1)
            do_memory(n);
        else if (sscanf(line, "unpack %4095s %4095s", a, b) == 2)
            do_unpack(a, b);
        else if (sscanf(line, "copy %4095s %4095s", a, b) == 2)
            do_copy(a, b);
        else if (sscanf(line, "pack %4095s %4095s", a, b) == 2)
            do_pack(a, b);
        else if (sscanf(line, "log %4095s %4095s", a, b) == 2)
            do_log(a, b);
        else if (sscanf(line, "relay %4095s %d", a, &n) == 2)
            do_relay(a, n);
        else {
            fprintf(stderr, "floor: what is %s", line);
            return 2;
        }
        fflush(stdout);
    }
    return 0;
}
